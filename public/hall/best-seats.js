import { useState } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { placesLeft } from '../till/till-state.js'
import { hallWords } from '../words/hall-words.js'
import { tillWords } from '../words/till-words.js'
import { CountSelect, PriceClassSelect } from './seat-choices.js'

/** @import { Places } from '../till/places.js' */
/** @import { HallSeats } from './hall-seats.js' */

/** The quickest way: say how many, and the server holds the best that are together. @param {{ places: Places, hall: HallSeats }} props */
export function BestSeats({ places, hall }) {
  const words = hallWords.value
  const [count, setCount] = useState(2)
  const [priceClass, setPriceClass] = useState(-1)
  const state = places.state.value
  const room = placesLeft({ ...state, chosen: new Map() }, places.sale.queue.maxPerAccount)
  if (room === 0) return null
  const wanted = Math.min(count, room)
  const className = hall.priceClasses[priceClass]?.name
  const take = () =>
    places.till.holdBest({ count: wanted, ...(className !== undefined && { priceClass: className }) })
  return html`<section class="card best-seats" aria-labelledby="best-seats">
    <h2 id="best-seats">${words.best}</h2>
    <p class="muted small-text">${words.bestHelp}</p>
    <div class="seat-list-filters">
      <${CountSelect} label=${words.seatCount} most=${room} chosen=${wanted} onChoose=${setCount} />
      <${PriceClassSelect} places=${places} hall=${hall} chosen=${priceClass} onChoose=${setPriceClass} />
    </div>
    <button type="button" disabled=${!places.mayChoose.value || state.isTaking} onClick=${take}>
      ${state.isTaking ? tillWords.value.holding : words.takeBest}
    </button>
  </section>`
}
