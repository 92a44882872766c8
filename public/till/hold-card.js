import { useEffect, useState } from '/vendor/preact-hooks.js'
import { keep, kept } from '../live/kept.js'
import { second, serverNow } from '../live/server-clock.js'
import { AskFirst } from '../shell/ask-first.js'
import { formatLeft } from '../shell/formats.js'
import { html } from '../shell/html.js'
import { money } from '../shell/said.js'
import { tillWords } from '../words/till-words.js'
import { priceOf } from './choice-card.js'
import { unitName } from './unit-name.js'

/** @import { Places } from './places.js' */
/** @import { Held } from './till-state.js' */

/** The methods of the sandbox, which is the payment provider of a server that was told of no other. */
const methods = ['sandbox_approve', 'sandbox_late', 'sandbox_refuse', 'sandbox_never']
/** Whoever has less than this left is told so by colour, too. */
const soonMs = 45_000

/** What is held: how long still, and the way to have it for good. @param {{ places: Places, hold: Held }} props */
export function HoldCard({ places, hold }) {
  const words = tillWords.value
  const [isAsking, setIsAsking] = useState(false)
  const [method, setMethod] = useState(() => methodKept())
  const { till, units, sale } = places
  const total = hold.units.reduce((sum, { unit, quantity }) => sum + priceOf(places, unit) * quantity, 0)
  const price = money({ amountMinor: total, currency: sale.currency })
  const isBusy = hold.busy !== ''
  return html`<section class="card hold" aria-labelledby=${hold.id}>
    <div class="hold-head">
      <h2 id=${hold.id}>${words.held}</h2>
      <${HoldTime} places=${places} expiresAt=${hold.expiresAt} />
    </div>
    <ul class="unit-lines">
      ${hold.units.map(
        ({ unit, quantity }) =>
          html`<li key=${unit}>
            <span>${unitName(units, unit)}${quantity > 1 ? ` × ${quantity}` : ''}</span>
          </li>`,
      )}
    </ul>
    ${!units.isFree && html`<${PayWith} method=${method} isBusy=${isBusy} onChoose=${setMethod} />`}
    <button
      type="button"
      class="primary"
      disabled=${isBusy}
      onClick=${() => till.order(hold.id, units.isFree ? undefined : method)}
    >
      ${hold.busy === 'ordering' ? words.paying : total === 0 ? words.confirm : `${words.pay} ${price}`}
    </button>
    <div class="buttons">
      ${
        hold.extendable &&
        html`<button type="button" class="small" disabled=${isBusy} onClick=${() => till.extend(hold.id)}>
          ${hold.busy === 'extending' ? words.extending : words.extend}
        </button>`
      }
      <button type="button" class="small quiet" disabled=${isBusy} onClick=${() => setIsAsking(true)}>
        ${words.release}
      </button>
    </div>
    ${
      isAsking &&
      html`<${AskFirst}
        title=${words.releaseTitle}
        text=${words.releaseText}
        yes=${words.release}
        no=${words.keep}
        onYes=${() => {
          setIsAsking(false)
          void till.release(hold.id)
        }}
        onNo=${() => setIsAsking(false)}
      />`
    }
  </section>`
}

/** @param {{ method: string, isBusy: boolean, onChoose: (method: string) => void }} props */
function PayWith({ method, isBusy, onChoose }) {
  const words = tillWords.value
  const choose = (/** @type {Event} */ event) => {
    const chosen = /** @type {HTMLSelectElement} */ (event.target).value
    keep('payment-method', chosen)
    onChoose(chosen)
  }
  return html`<label class="pay-with">
    ${words.payWith}
    <select value=${method} disabled=${isBusy} onChange=${choose}>
      ${methods.map((one) => html`<option value=${one}>${words.methods[one]}</option>`)}
    </select>
    <span class="muted small-text">${words.sandbox}</span>
  </label>`
}

/** Apart from the card, so that only this is drawn each second. @param {{ places: Places, expiresAt: string }} props */
function HoldTime({ places, expiresAt }) {
  void second.value
  const leftMs = Date.parse(expiresAt) - serverNow()
  const isOver = leftMs <= 0
  useEffect(() => {
    // The server has the last word on when it is over: it is asked until it has said so.
    if (!isOver) return
    void places.till.readHolds()
    const timer = setInterval(() => void places.till.readHolds(), 2000)
    return () => clearInterval(timer)
  }, [isOver])
  return html`<span class=${`hold-time figures ${leftMs < soonMs ? 'soon' : ''}`} role="timer"
    >${formatLeft(leftMs)}</span
  >`
}

function methodKept() {
  const method = kept('payment-method')
  return typeof method === 'string' && methods.includes(method) ? method : 'sandbox_approve'
}
