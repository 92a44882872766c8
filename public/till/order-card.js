import { second, serverNow } from '../live/server-clock.js'
import { html } from '../shell/html.js'
import { money } from '../shell/said.js'
import { tillWords } from '../words/till-words.js'
import { withoutOrder } from './till-state.js'
import { unitName } from './unit-name.js'

/** @import { OrderMessage } from '../../src/domain/orders/order-messages.ts' */
/** @import { Places } from './places.js' */

/** After so long without an answer we say that we are finding out. */
const usualMs = 8000

/** What has become of an order, up to the ticket. @param {{ places: Places, order: OrderMessage, isOver: boolean }} props */
export function OrderCard({ places, order, isOver }) {
  const words = tillWords.value
  const dismiss = () => places.till.change((now) => withoutOrder(now, order.id))
  const again = () => {
    dismiss()
    for (const { unit } of order.bookings) places.choose(unit, (places.state.value.chosen.get(unit) ?? 0) + 1)
  }
  switch (order.status) {
    case 'saving':
      return html`<section class="card order-card" aria-live="polite">
        <h2><span class="spinner" aria-hidden="true"></span> ${words.saving}</h2>
        <p>${words.savingText}</p>
        <p class="muted small-text">${words.leaveSafely}</p>
      </section>`
    case 'pending':
    case 'paying':
      return html`<${Paying} places=${places} order=${order} />`
    case 'booked':
      return html`<${Booked} places=${places} order=${order} isOver=${isOver} onDone=${dismiss} />`
    default:
      return html`<section class="card order-card" role="alert">
        <h2>${words[order.status]}</h2>
        <p class="muted">${endings(words)[order.status]}</p>
        <${Lines} places=${places} order=${order} />
        <div class="buttons">
          ${places.mayChoose.value && html`<button type="button" onClick=${again}>${words.again}</button>`}
          <button type="button" class="quiet" onClick=${dismiss}>
            ${isOver ? words.close : words.dismiss}
          </button>
        </div>
      </section>`
  }
}

/** What an ending means. @param {typeof tillWords.value} words */
function endings({ refusedText, expiredText, abandonedText }) {
  return {
    refused: refusedText,
    expired: expiredText,
    cancelled: expiredText,
    abandoned: abandonedText,
  }
}

/** @param {{ places: Places, order: OrderMessage }} props */
function Paying({ places, order }) {
  const words = tillWords.value
  void second.value
  const isUsual = serverNow() - Date.parse(order.createdAt) < usualMs
  return html`<section class="card order-card" aria-live="polite">
    <h2><span class="spinner" aria-hidden="true"></span> ${words.paymentUnderWay}</h2>
    <p>${isUsual ? words.paymentText : words.findingOut}</p>
    ${!isUsual && html`<p class="muted small-text">${words.leaveSafely}</p>`}
    <${Lines} places=${places} order=${order} />
    <p><b class="figures">${money(order.total)}</b></p>
  </section>`
}

/** @param {{ places: Places, order: OrderMessage, isOver: boolean, onDone: () => void }} props */
function Booked({ places, order, isOver, onDone }) {
  const words = tillWords.value
  const bookings = order.bookings.filter(({ status }) => status === 'booked')
  return html`<section class="card order-card booked" aria-labelledby=${order.id}>
    <h2 id=${order.id} class="booked-title" role="status">${words.booked}</h2>
    <p class="muted">${words.bookedText(bookings.length)}</p>
    <ul class="tickets">
      ${bookings.map(
        ({ id, unit }) =>
          html`<li key=${id}>
            <img
              class="qr"
              src=${`/api/v1/bookings/${id}/ticket`}
              width="200"
              height="200"
              alt=${words.qrOf(unitName(places.units, unit))}
            />
            <span>${unitName(places.units, unit)}</span>
          </li>`,
      )}
    </ul>
    <div class="buttons">
      <a class="button" href="/orders">${words.toOrders}</a>
      <button type="button" class="quiet" onClick=${onDone}>${isOver ? words.done : words.goOn}</button>
    </div>
  </section>`
}

/** @param {{ places: Places, order: OrderMessage }} props */
function Lines({ places, order }) {
  return html`<ul class="unit-lines">
    ${order.bookings.map(({ id, unit }) => html`<li key=${id}><span>${unitName(places.units, unit)}</span></li>`)}
  </ul>`
}
