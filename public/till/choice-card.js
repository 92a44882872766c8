import { html } from '../shell/html.js'
import { money } from '../shell/said.js'
import { tillWords } from '../words/till-words.js'
import { placesLeft } from './till-state.js'
import { unitName } from './unit-name.js'

/** @import { Places } from './places.js' */

/** What is chosen and not held yet. @param {{ places: Places }} props */
export function ChoiceCard({ places }) {
  const words = tillWords.value
  const state = places.state.value
  const { chosen, isTaking } = state
  const { units, sale, till } = places
  const room = placesLeft(state, sale.queue.maxPerAccount)
  const all = [...chosen]
  const total = all.reduce((sum, [code, quantity]) => sum + priceOf(places, code) * quantity, 0)
  if (all.length === 0 && (state.holds.length > 0 || room === 0)) return null
  const price = total === 0 ? words.free : money({ amountMinor: total, currency: sale.currency })
  const act = units.isFree ? words.bookThem : words.holdThem
  const acting = units.isFree ? words.booking : words.holding
  return html`<section class=${`card choice ${all.length > 0 ? 'has-choice' : ''}`} aria-labelledby="choice">
    <h2 id="choice">${words.yourChoice}</h2>
    ${
      all.length === 0
        ? html`<p class="muted">${words.nothingChosen}</p>`
        : html`<ul class="unit-lines">
            ${all.map(
              ([code, quantity]) =>
                html`<li key=${code}>
                  <span>${unitName(units, code)}${quantity > 1 ? ` × ${quantity}` : ''}</span>
                  <button
                    type="button"
                    class="small quiet"
                    aria-label=${words.unchoose(unitName(units, code))}
                    disabled=${isTaking}
                    onClick=${() => places.choose(code, 0)}
                  >
                    ✕
                  </button>
                </li>`,
            )}
          </ul>`
    }
    <p class="muted small-text">${room === 0 ? words.mayNotChoose : words.mayChoose(room)}</p>
    ${
      all.length > 0 &&
      html`<div class="choice-act">
        <p><span class="muted small-text">${words.total}</span> <b class="figures">${price}</b></p>
        <button
          type="button"
          class="primary"
          disabled=${isTaking || !places.mayChoose.value}
          onClick=${() => (units.isFree ? till.book() : till.hold())}
        >
          ${isTaking ? acting : act}
        </button>
      </div>`
    }
  </section>`
}

/** @param {Places} places @param {string} code */
export function priceOf({ units }, code) {
  const unitNo = units.numberOf(code)
  return unitNo === undefined ? 0 : units.priceMinorOf(unitNo)
}
