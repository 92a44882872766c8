import { useState } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { money, number } from '../shell/said.js'
import { hallWords } from '../words/hall-words.js'
import { tillWords } from '../words/till-words.js'
import { classColorToken } from './hall-colors.js'
import { CountSelect, PriceClassSelect } from './seat-choices.js'
import { freeRuns } from './free-seats.js'

/** @import { Places } from '../till/places.js' */
/** @import { FreeSeats } from './free-seats.js' */
/** @import { HallRow, HallSeats } from './hall-seats.js' */

/**
 * The same seats as the hall shows, for keyboard and screen reader: sections, then the rows of one, then the free seats
 * of one row. One level is shown at a time, so fifty thousand seats are never more than a thousand buttons.
 * @param {{ places: Places, hall: HallSeats, free: FreeSeats }} props
 */
export function SeatList({ places, hall, free }) {
  const words = hallWords.value
  const [priceClass, setPriceClass] = useState(-1)
  const [together, setTogether] = useState(1)
  const [open, setOpen] = useState(/** @type {{ section: number, row: number }} */ ({ section: -1, row: -1 }))
  void places.pulse.value
  const filter = { priceClass, together }
  const section = hall.sections[open.section]
  const row = section?.rows.find((candidate) => candidate.row === open.row)
  const { maxPerAccount } = places.sale.queue
  return html`<section class="seat-list card" id="seat-list" tabindex="-1" aria-label=${words.list}>
    <h2>${words.list}</h2>
    <div class="seat-list-filters">
      <${PriceClassSelect} places=${places} hall=${hall} chosen=${priceClass} onChoose=${setPriceClass} />
      <${CountSelect}
        label=${words.together}
        first=${words.any}
        most=${Math.min(maxPerAccount, 8)}
        chosen=${together}
        onChoose=${setTogether}
      />
    </div>
    <nav class="seat-list-path" aria-label=${words.list}>
      <button
        type="button"
        class="small"
        disabled=${!section}
        onClick=${() => setOpen({ section: -1, row: -1 })}
      >
        ${words.sections}
      </button>
      ${
        section &&
        html`<button
          type="button"
          class="small"
          disabled=${!row}
          onClick=${() => setOpen({ ...open, row: -1 })}
        >
          ${section.name}
        </button>`
      }
      ${row && html`<span class="small-text">${words.row(row.row)}</span>`}
    </nav>
    ${
      row
        ? html`<${Seats} places=${places} hall=${hall} row=${row} together=${together} />`
        : section
          ? html`<${Rows}
              places=${places}
              hall=${hall}
              section=${open.section}
              filter=${filter}
              onOpen=${(/** @type {number} */ number) => setOpen({ ...open, row: number })}
            />`
          : html`<${Sections}
              places=${places}
              hall=${hall}
              free=${free}
              filter=${filter}
              onOpen=${(/** @type {number} */ index) => setOpen({ section: index, row: -1 })}
            />`
    }
  </section>`
}

/** @typedef {{ priceClass: number, together: number }} Filter */

/** @param {{ places: Places, hall: HallSeats, free: FreeSeats, filter: Filter, onOpen: (index: number) => void }} props */
function Sections({ places, hall, free, filter, onOpen }) {
  const words = hallWords.value
  void places.pulse.value
  const fits = hall.sections.flatMap((section, index) => {
    const isOfClass =
      filter.priceClass < 0 || section.rows.some(({ priceClass }) => priceClass === filter.priceClass)
    return isOfClass && (free.bySection[index] ?? 0) >= filter.together ? [{ section, index }] : []
  })
  if (fits.length === 0) return html`<p class="muted">${words.noneHere}</p>`
  return html`<ul class="seat-list-items">
    ${fits.map(
      ({ section, index }) =>
        html`<li key=${section.code}>
          <button type="button" onClick=${() => onOpen(index)}>
            <span
              ><${ClassDots}
                classes=${new Set(section.rows.map(({ priceClass }) => priceClass))}
              />${section.name}</span
            >
            <span class="muted small-text">
              ${words.freeCount(number(free.bySection[index] ?? 0))} · ${prices(places, hall, section.rows)}
            </span>
          </button>
        </li>`,
    )}
  </ul>`
}

/** @param {{ places: Places, hall: HallSeats, section: number, filter: Filter, onOpen: (row: number) => void }} props */
function Rows({ places, hall, section, filter, onOpen }) {
  const words = hallWords.value
  void places.pulse.value
  const { seats: states } = places.units.map
  const rows = (hall.sections[section]?.rows ?? []).flatMap((row) => {
    if (filter.priceClass >= 0 && row.priceClass !== filter.priceClass) return []
    const runs = freeRuns(row, states, filter.together)
    return runs.length === 0 ? [] : [{ row, count: runs.reduce((sum, { seats }) => sum + seats, 0) }]
  })
  if (rows.length === 0) return html`<p class="muted">${words.noneHere}</p>`
  return html`<ul class="seat-list-items">
    ${rows.map(
      ({ row, count }) =>
        html`<li key=${row.row}>
          <button type="button" onClick=${() => onOpen(row.row)}>
            <span><${ClassDots} classes=${new Set([row.priceClass])} />${words.row(row.row)}</span>
            <span class="muted small-text"
              >${words.freeCount(number(count))} · ${prices(places, hall, [row])}</span
            >
          </button>
        </li>`,
    )}
  </ul>`
}

/**
 * What is taken leaves a gap: no other seat may slip under a finger that is on its way.
 * @param {{ places: Places, hall: HallSeats, row: HallRow, together: number }} props
 */
function Seats({ places, hall, row, together }) {
  const words = hallWords.value
  void places.pulse.value
  const { chosen } = places.state.value
  const runs = freeRuns(row, places.units.map.seats, together)
  if (runs.length === 0) return html`<p class="muted">${words.noneHere}</p>`
  const fits = new Set(
    runs.flatMap(({ first, seats }) => Array.from({ length: seats }, (_, nth) => first + nth)),
  )
  return html`<p class="muted small-text">${prices(places, hall, [row])}</p>
    <ul class="seat-list-seats">
      ${Array.from({ length: row.seats }, (_, nth) => {
        const unitNo = row.first + nth
        const code = hall.codeOf(unitNo)
        if (!fits.has(unitNo)) return html`<li key=${code} class="gone" aria-hidden="true">·</li>`
        return html`<${SeatButton}
          key=${code}
          places=${places}
          code=${code}
          seat=${nth + 1}
          isChosen=${chosen.has(code)}
        />`
      })}
    </ul>`
}

/** @param {{ places: Places, code: string, seat: number, isChosen: boolean }} props */
function SeatButton({ places, code, seat, isChosen }) {
  const words = hallWords.value
  return html`<li>
    <button
      type="button"
      class="small"
      aria-pressed=${isChosen}
      aria-label=${`${words.seat(seat)}, ${isChosen ? words.states.chosen : words.states.free}`}
      disabled=${!places.mayChoose.value}
      onClick=${() => places.toggle(code)}
    >
      ${seat}
    </button>
  </li>`
}

/** @param {{ classes: ReadonlySet<number> }} props */
function ClassDots({ classes }) {
  return html`<span aria-hidden="true"
    >${[...classes].map((index) => html`<span class="class-dot" style=${{ background: classColorToken(index) }}></span>`)}</span
  >`
}

/** @param {Places} places @param {HallSeats} hall @param {readonly HallRow[]} rows */
function prices(places, hall, rows) {
  const all = rows.map(({ priceClass }) => hall.priceClasses[priceClass]?.priceMinor ?? 0)
  const { currency } = places.sale
  const [least, most] = [Math.min(...all), Math.max(...all)]
  /** @param {number} amountMinor */
  const said = (amountMinor) => (amountMinor === 0 ? tillWords.value.free : money({ amountMinor, currency }))
  return least === most ? said(least) : hallWords.value.seatsFrom(said(least), said(most))
}
