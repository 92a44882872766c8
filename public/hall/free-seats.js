/** @import { HallRow, HallSeats } from './hall-seats.js' */

/**
 * How many seats are free in each row, section and price class, kept in step with the map: what the list beside the
 * hall and the overview say, without counting fifty thousand seats at every change.
 */
export class FreeSeats {
  /** @type {Int32Array} */
  byRow
  /** @type {Int32Array} */
  bySection
  /** @type {Int32Array} */
  byClass
  total = 0
  #seats
  #isFree

  /** @param {HallSeats} seats */
  constructor(seats) {
    this.#seats = seats
    this.#isFree = new Uint8Array(seats.count)
    this.byRow = new Int32Array(seats.rows.length)
    this.bySection = new Int32Array(seats.sections.length)
    this.byClass = new Int32Array(seats.priceClasses.length)
  }

  /**
   * Reads the units anew whose state changed.
   * @param {Uint8Array} states
   * @param {Iterable<number>} units
   */
  update(states, units) {
    for (const unitNo of units) this.#set(unitNo, states[unitNo] === 0 ? 1 : 0)
  }

  /** @param {Uint8Array} states */
  updateAll(states) {
    for (let unitNo = 0; unitNo < states.length; unitNo++) this.#set(unitNo, states[unitNo] === 0 ? 1 : 0)
  }

  /** @param {number} unitNo @param {0 | 1} free */
  #set(unitNo, free) {
    const by = free - (this.#isFree[unitNo] ?? 0)
    if (by === 0) return
    this.#isFree[unitNo] = free
    const rowIndex = this.#seats.rowIndex[unitNo] ?? 0
    const row = this.#seats.rows[rowIndex]
    if (row === undefined) return
    add(this.byRow, rowIndex, by)
    add(this.bySection, row.section, by)
    add(this.byClass, row.priceClass, by)
    this.total += by
  }
}

/**
 * The seats of a row that are free side by side, as far as `length` of them are.
 * @param {HallRow} row
 * @param {Uint8Array} states
 * @param {number} length
 * @returns {{ first: number, seats: number }[]}
 */
export function freeRuns(row, states, length) {
  const runs = []
  let first = row.first
  for (let unitNo = row.first; unitNo <= row.first + row.seats; unitNo++) {
    const isFree = unitNo < row.first + row.seats && states[unitNo] === 0
    if (isFree) continue
    if (unitNo - first >= length) runs.push({ first, seats: unitNo - first })
    first = unitNo + 1
  }
  return runs
}

/** @param {Int32Array} counts @param {number} at @param {number} by */
function add(counts, at, by) {
  counts[at] = (counts[at] ?? 0) + by
}
