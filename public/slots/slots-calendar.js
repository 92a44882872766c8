import { useState } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { date as dateText, money, number } from '../shell/said.js'
import { hasBooked, placesLeft } from '../till/till-state.js'
import { slotsWords } from '../words/slots-words.js'
import { tillWords } from '../words/till-words.js'

/** @import { Places } from '../till/places.js' */
/** @import { SlotTable } from './slot-table.js' */

/**
 * Slots by date and hour: a week beside the hours where there is room, one day at a time on a phone. One slot is chosen
 * at a time, for as many people as may come.
 * @param {{ places: Places, slots: SlotTable }} props
 */
export function SlotsCalendar({ places, slots }) {
  const words = slotsWords.value
  const weeks = slots.weeks()
  const [week, setWeek] = useState(0)
  const [day, setDay] = useState(() => firstDayWithPlaces(places, slots))
  void places.pulse.value
  const dates = weeks[week] ?? []
  const shown = dates.includes(day)
    ? day
    : (dates.find((date) => slots.leftOn(date, places.units.map.left)) ?? dates[0])
  const price = { amountMinor: slots.priceMinor, currency: places.sale.currency }
  return html`<section class="card slots" aria-labelledby="slots-title">
    <div class="slots-head">
      <h2 id="slots-title">${words.calendar}</h2>
      <span class="pill">${slots.priceMinor === 0 ? tillWords.value.free : money(price)}</span>
    </div>
    ${
      weeks.length > 1 &&
      html`<div class="slots-weeks">
        <button type="button" class="small" disabled=${week === 0} onClick=${() => setWeek(week - 1)}>
          ← <span class="week-word">${words.earlier}</span>
        </button>
        <span class="small-text muted">${dateText(dates[0] ?? '')} – ${dateText(dates.at(-1) ?? '')}</span>
        <button
          type="button"
          class="small"
          disabled=${week === weeks.length - 1}
          onClick=${() => setWeek(week + 1)}
        >
          <span class="week-word">${words.later}</span> →
        </button>
      </div>`
    }
    <div class="slots-days" role="group" aria-label=${words.days}>
      ${dates.map((date) => html`<${DayButton} places=${places} slots=${slots} date=${date} isShown=${date === shown} onShow=${() => setDay(date)} />`)}
    </div>
    <table class="slots-table">
      <thead>
        <tr>
          <td></td>
          ${dates.map((date) => html`<th scope="col" class=${date === shown ? 'shown' : ''}>${dateText(date)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${slots.hours.map(
          (hour) =>
            html`<tr>
              <th scope="row" class="figures">${hour}</th>
              ${dates.map(
                (date) =>
                  html`<td class=${date === shown ? 'shown' : ''}>
                    <${SlotButton} places=${places} slots=${slots} date=${date} hour=${hour} />
                  </td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
    <${QuantityChoice} places=${places} />
  </section>`
}

/** @param {{ places: Places, slots: SlotTable, date: string, isShown: boolean, onShow: () => void }} props */
function DayButton({ places, slots, date, isShown, onShow }) {
  const words = slotsWords.value
  void places.pulse.value
  const left = slots.leftOn(date, places.units.map.left)
  const state = left === undefined ? words.closed : left === 0 ? words.full : words.left(number(left))
  return html`<button
    type="button"
    aria-pressed=${isShown}
    disabled=${left === undefined}
    class=${left ? '' : 'gone'}
    onClick=${onShow}
  >
    <b>${dateText(date)}</b><span class="small-text">${places.units.map.isKnown ? state : ''}</span>
  </button>`
}

/** @param {{ places: Places, slots: SlotTable, date: string, hour: string }} props */
function SlotButton({ places, slots, date, hour }) {
  const words = slotsWords.value
  void places.pulse.value
  const unitNo = slots.at(date, hour)
  if (unitNo === undefined) return html`<span class="slot closed">${words.closed}</span>`
  if (!places.units.map.isKnown) return html`<span class="slot bone"></span>`
  const code = slots.codeOf(unitNo)
  const { chosen, holds } = places.state.value
  const left = places.units.leftOf(unitNo)
  const isChosen = chosen.has(code)
  const isBooked = places.sale.onePerUnit && hasBooked(places.state.value, code)
  const isMine = isBooked || holds.some(({ units }) => units.some(({ unit }) => unit === code))
  const label = `${dateText(date)} ${hour}`
  if (left === 0 && !isChosen && !isMine) {
    const isWatched = places.watched.value.includes(code)
    return html`<button
      type="button"
      class="slot full"
      aria-label=${`${label}, ${words.full}. ${isWatched ? words.watched : words.watch}`}
      title=${isWatched ? words.watched : words.watch}
      disabled=${isWatched}
      onClick=${() => places.watch(code)}
    >
      ${words.full} <span aria-hidden="true">${isWatched ? '●' : '○'}</span>
    </button>`
  }
  return html`<button
    type="button"
    class=${`slot ${isMine ? 'mine' : ''} ${left * 5 <= slots.capacityOf(unitNo) ? 'few' : ''}`}
    aria-pressed=${isChosen || isMine}
    aria-label=${`${label}, ${words.left(number(left))}`}
    disabled=${!places.mayChoose.value || isMine}
    onClick=${() => places.choose(code, isChosen ? 0 : 1, { isOnly: true })}
  >
    <span class="slot-fill" style=${{ width: `${(100 * left) / slots.capacityOf(unitNo)}%` }}></span>
    <span class="slot-left">${words.left(number(left))}</span>
  </button>`
}

/** How many people come to the slot that is chosen. @param {{ places: Places }} props */
function QuantityChoice({ places }) {
  const words = slotsWords.value
  const [chosen] = places.state.value.chosen
  if (chosen === undefined || places.sale.onePerUnit) return null
  const [code, quantity] = chosen
  const room = placesLeft(places.state.value, places.sale.queue.maxPerAccount)
  if (quantity + room === 1) return null
  const most = Math.min(quantity + room, places.leftOf(code))
  return html`<div class="quantity">
    <span id="quantity-label">${words.quantity}</span>
    <button
      type="button"
      aria-label=${words.fewer}
      disabled=${quantity <= 1}
      onClick=${() => places.choose(code, quantity - 1)}
    >
      −
    </button>
    <output class="figures" aria-labelledby="quantity-label">${quantity}</output>
    <button
      type="button"
      aria-label=${words.more}
      disabled=${quantity >= most}
      onClick=${() => places.choose(code, quantity + 1)}
    >
      +
    </button>
  </div>`
}

/** @param {Places} places @param {SlotTable} slots */
function firstDayWithPlaces(places, slots) {
  return slots.dates.find((date) => slots.leftOn(date, places.units.map.left)) ?? slots.dates[0] ?? ''
}
