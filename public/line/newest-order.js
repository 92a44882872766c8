import { useEffect, useState } from '/vendor/preact-hooks.js'
import { hasAccount } from '../live/account.js'
import { call } from '../live/calls.js'
import { html } from '../shell/html.js'
import { orderWords } from '../words/order-words.js'

/** @import { OrderMessage } from '../../src/domain/orders/order-messages.ts' */

/** Says that there is an order of this sale already, to whoever comes back. @param {{ saleId: string }} props */
export function NewestOrder({ saleId }) {
  const [order, setOrder] = useState(/** @type {OrderMessage | undefined} */ (undefined))
  useEffect(() => {
    if (!hasAccount()) return
    /** @type {Promise<{ items: OrderMessage[] }>} */
    const asked = call('/orders')
    const newest = (/** @type {{ items: OrderMessage[] }} */ { items }) =>
      setOrder(items.find(({ sale, status }) => sale === saleId && shown.has(status)))
    asked.then(newest, () => {})
  }, [saleId])
  const words = orderWords.value
  if (order === undefined) return null
  return html`<a class="notice" href=${`/orders#${order.id}`}>
    <strong>${words.statuses[order.status]}</strong><span>${words.seeOrder}</span>
  </a>`
}

const shown = new Set(['pending', 'paying', 'booked'])
