import { signal } from '/vendor/signals.js'
import { call } from '../live/calls.js'

/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */

const titles = signal(/** @type {ReadonlyMap<string, string>} */ (new Map()))
/** @type {Set<string>} */
const asked = new Set()

/** The title of a sale, asked once for all its orders; undefined until it is known. @param {string} saleId */
export function saleTitle(saleId) {
  if (!asked.has(saleId)) {
    asked.add(saleId)
    void ask(saleId)
  }
  return titles.value.get(saleId)
}

/** @param {string} saleId */
async function ask(saleId) {
  try {
    /** @type {SaleView} */
    const { title } = await call(`/sales/${saleId}`)
    titles.value = new Map([...titles.value, [saleId, title]])
  } catch {
    // Asked again when the order is drawn again.
    asked.delete(saleId)
  }
}
