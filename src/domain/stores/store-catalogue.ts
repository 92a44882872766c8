import type { Sql } from '../../db/postgres.ts'
import type { RowChanges } from '../../db/row-changes.ts'
import { Problem } from '../../errors.ts'
import { FreshReads } from '../fresh-reads.ts'
import { RecentMap } from '../sales/recent-map.ts'
import { htmlOfDescription } from './store-description.ts'
import { storeErrors } from './store-errors.ts'
import { isStoreId, type StoreView } from './store-messages.ts'
import { findStore, picturesOf } from './store-rows.ts'
import { viewOfStore } from './store-view.ts'

/** Views, in bytes; some thousand stores with long descriptions. */
const viewBytesMax = 32_000_000
/** Rendered descriptions, in characters. */
const htmlCharsMax = 8_000_000
/** As text, and as the bytes that are sent of it. */
const bytesPerLetter = 5
/** Of a view beside its description. */
const bytesBeside = 2_000

/** Stores as they are shown, in this process's memory: however many ask, each is read once until stores change. */
export class StoreCatalogue {
  readonly #sql: Sql
  readonly #views: FreshReads<StoreView>
  readonly #rendered = new RecentMap<{ text: string; html: string }>({
    weightMax: htmlCharsMax,
    weigh: ({ text, html }) => text.length + html.length,
  })

  constructor(options: { sql: Sql; changes: RowChanges }) {
    this.#sql = options.sql
    this.#views = new FreshReads({
      changes: options.changes,
      subject: 'stores',
      weightMax: viewBytesMax,
      weigh: ({ description, descriptionHtml }) =>
        bytesPerLetter * (description.length + descriptionHtml.length) + bytesBeside,
    })
  }

  /** Throws `no_such_store`. */
  async view(storeId: string): Promise<StoreView> {
    if (!isStoreId(storeId)) throw new Problem(storeErrors.no_such_store)
    return await this.#views.get(storeId, () => this.#read(storeId))
  }

  async #read(storeId: string): Promise<StoreView> {
    const store = await findStore(this.#sql, storeId)
    if (store === undefined) throw new Problem(storeErrors.no_such_store)
    const pictures = (await picturesOf(this.#sql, [storeId])).get(storeId) ?? []
    return viewOfStore(store, { pictures, html: this.#htmlOf(storeId, store.description) })
  }

  #htmlOf(storeId: string, text: string): string {
    const known = this.#rendered.get(storeId)
    if (known?.text === text) return known.html
    const html = htmlOfDescription(text)
    this.#rendered.set(storeId, { text, html })
    return html
  }
}
