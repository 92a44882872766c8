import { date } from '../shell/said.js'
import { hallWords } from '../words/hall-words.js'

/** @import { SaleUnits } from '../units/sale-units.js' */

/** How people call a unit: `Balcony, left · Row 3 · Seat 7`, `Tue, Mar 3 · 14:00`. @param {SaleUnits} units @param {string} code */
export function unitName(units, code) {
  const unitNo = units.numberOf(code)
  if (unitNo === undefined) return code
  const { hall, slots } = units
  if (slots) return `${date(slots.dateOf(unitNo))} · ${slots.hourOf(unitNo)}`
  const words = hallWords.value
  const row = hall?.rowOf(unitNo)
  return [
    hall?.sectionOf(unitNo)?.name ?? code,
    words.row(row?.row ?? 0),
    words.seat(hall?.seatInRow(unitNo) ?? 0),
  ].join(' · ')
}
