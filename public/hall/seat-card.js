import { useEffect, useState } from '/vendor/preact-hooks.js'
import { call } from '../live/calls.js'
import { html } from '../shell/html.js'
import { clock, money } from '../shell/said.js'
import { codesOf } from '../till/till-state.js'
import { hallWords } from '../words/hall-words.js'
import { tillWords } from '../words/till-words.js'
import { classColorToken } from './hall-colors.js'

/** @import { UnitView } from '../../src/domain/units/unit-messages.ts' */
/** @import { Places } from '../till/places.js' */
/** @import { HallSeats } from './hall-seats.js' */
/** @import { Spot } from './hall-view.js' */

/**
 * What a seat is: code, price, state; until when it is held; and what can be done about it.
 * @param {{ places: Places, hall: HallSeats, unitNo: number, spot: Spot, isPinned: boolean, onClose: () => void }} props
 */
export function SeatCard({ places, hall, unitNo, spot, isPinned, onClose }) {
  const words = hallWords.value
  void places.pulse.value
  const code = hall.codeOf(unitNo)
  const { chosen, holds } = places.state.value
  const isMine = holds.some(({ units }) => codesOf(units).includes(code))
  const look = isMine ? 'mine' : chosen.has(code) ? 'chosen' : stateOf(places, unitNo)
  const heldUntil = useHeldUntil(places, { code, isHeld: look === 'held' })
  const row = hall.rowOf(unitNo)
  const section = hall.sectionOf(unitNo)
  const priceClass = hall.priceClass[unitNo] ?? 0
  const price = { amountMinor: hall.priceMinorOf(unitNo), currency: places.sale.currency }
  const isTaken = look === 'held' || look === 'sold'
  const isWatched = places.watched.value.includes(code)
  return html`<div
    class=${`seat-card ${isPinned ? 'pinned' : ''} ${spot.y < 170 ? 'below' : ''}`}
    role=${isPinned ? 'status' : null}
    style=${{ left: `clamp(7.5rem, ${Math.round(spot.x)}px, calc(100% - 7.5rem))`, top: `${Math.round(spot.y)}px` }}
  >
    <p class="seat-card-code">
      ${section?.name} · ${words.row(row?.row ?? 0)} · ${words.seat(hall.seatInRow(unitNo))}
    </p>
    <p class="seat-card-price">
      <span class="class-dot" style=${{ background: classColorToken(priceClass) }}></span>
      ${hall.priceClasses[priceClass]?.name} ·
      <b>${price.amountMinor === 0 ? tillWords.value.free : money(price)}</b>
    </p>
    <p class="muted small-text">
      ${look === 'held' ? (heldUntil ? words.heldUntil(clock(heldUntil)) : words.heldBy) : words.states[look]}
      <span class="visually-hidden"> ${code}</span>
    </p>
    ${
      isPinned &&
      html`<div class="buttons">
        ${
          isTaken &&
          html`<button type="button" class="small" disabled=${isWatched} onClick=${() => places.watch(code)}>
            ${isWatched ? words.watched : words.watch}
          </button>`
        }
        <button type="button" class="small quiet" onClick=${onClose}>${tillWords.value.close}</button>
      </div>`
    }
  </div>`
}

/** Asked for when somebody looks at a held seat; what comes of it later the map says. @param {Places} places @param {{ code: string, isHeld: boolean }} seat */
function useHeldUntil(places, { code, isHeld }) {
  const [heldUntil, setHeldUntil] = useState(/** @type {string | undefined} */ (undefined))
  useEffect(() => {
    setHeldUntil(undefined)
    if (!isHeld) return
    const over = new AbortController()
    const read = async () => {
      /** @type {UnitView} */
      const unit = await call(`/sales/${places.sale.id}/units/${encodeURIComponent(code)}`, {
        signal: over.signal,
        withinMs: 0,
      })
      setHeldUntil(unit.heldUntil)
    }
    // It only adds to what is shown already.
    read().catch(() => {})
    return () => over.abort()
  }, [code, isHeld])
  return heldUntil
}

/** @param {Places} places @param {number} unitNo */
function stateOf(places, unitNo) {
  return /** @type {const} */ (['free', 'held', 'sold'])[places.units.map.seats[unitNo] ?? 0] ?? 'free'
}
