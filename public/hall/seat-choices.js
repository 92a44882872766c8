import { html } from '../shell/html.js'
import { money } from '../shell/said.js'
import { hallWords } from '../words/hall-words.js'

/** @import { Places } from '../till/places.js' */
/** @import { HallSeats } from './hall-seats.js' */

/**
 * @param {object} props
 * @param {Places} props.places
 * @param {HallSeats} props.hall
 * @param {number} props.chosen index of a price class; −1: all
 * @param {(chosen: number) => void} props.onChoose
 */
export function PriceClassSelect({ places, hall, chosen, onChoose }) {
  const words = hallWords.value
  const { currency } = places.sale
  return html`<label>
    ${words.priceClass}
    <select value=${chosen} onChange=${(/** @type {Event} */ event) => onChoose(valueOf(event))}>
      <option value=${-1}>${words.allClasses}</option>
      ${hall.priceClasses.map(
        ({ name, priceMinor }, index) =>
          html`<option value=${index}>${name} · ${money({ amountMinor: priceMinor, currency })}</option>`,
      )}
    </select>
  </label>`
}

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} [props.first] what stands instead of 1
 * @param {number} props.most
 * @param {number} props.chosen
 * @param {(chosen: number) => void} props.onChoose
 */
export function CountSelect({ label, first, most, chosen, onChoose }) {
  const counts = Array.from({ length: most }, (_, index) => index + 1)
  return html`<label>
    ${label}
    <select value=${chosen} onChange=${(/** @type {Event} */ event) => onChoose(valueOf(event))}>
      ${counts.map((count) => html`<option value=${count}>${count === 1 ? (first ?? count) : count}</option>`)}
    </select>
  </label>`
}

/** @param {Event} event */
function valueOf(event) {
  return Number(/** @type {HTMLSelectElement} */ (event.target).value)
}
