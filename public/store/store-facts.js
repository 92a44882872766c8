import { html } from '../shell/html.js'
import { moment, weekday } from '../shell/said.js'
import { storeWords } from '../words/store-words.js'

/** @import { StoreView } from '../../src/domain/stores/store-messages.ts' */

/** Where the store is, when it is open, and where else one finds it. @param {{ store: StoreView }} props */
export function StoreFacts({ store }) {
  const words = storeWords.value
  const { address, latitude, longitude, opensAt, closesAt, openingHours, links } = store
  const map = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=17/${latitude}/${longitude}`
  return html`<dl class="card store-facts">
    <div>
      <dt>${words.when}</dt>
      <dd>${words.period(moment(opensAt), moment(closesAt))}</dd>
    </div>
    <div>
      <dt>${words.where}</dt>
      <dd>${address} · <a href=${map} target="_blank" rel="noopener noreferrer">${words.onMap}</a></dd>
    </div>
    ${
      openingHours.length > 0 &&
      html`<div>
        <dt>${words.hours}</dt>
        <dd>
          <ul>
            ${openingHours.map(
              ({ days, from, to }) =>
                html`<li key=${`${days.join()} ${from}`}>
                  <span>${daysText(days)}</span>
                  <span class="figures">${from} – ${to <= from ? words.nextDay(to) : to}</span>
                </li>`,
            )}
          </ul>
        </dd>
      </div>`
    }
    ${
      links.length > 0 &&
      html`<div>
        <dt>${words.links}</dt>
        <dd class="store-links">
          ${links.map(({ label, url }) => html`<a key=${url} href=${url} target="_blank" rel="noopener noreferrer">${label}</a>`)}
        </dd>
      </div>`
    }
  </dl>`
}

/** Days that follow one another are told as a range. @param {readonly number[]} days 1 is Monday */
function daysText(days) {
  const sorted = days.toSorted((a, b) => a - b)
  /** @type {[first: number, last: number][]} */
  const runs = []
  for (const day of sorted) {
    const run = runs.at(-1)
    if (run !== undefined && run[1] === day - 1) run[1] = day
    else runs.push([day, day])
  }
  return runs
    .map(([first, last]) => (first === last ? weekday(first) : `${weekday(first)} – ${weekday(last)}`))
    .join(', ')
}
