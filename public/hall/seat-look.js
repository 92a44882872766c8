/** @import { HallSeats } from './hall-seats.js' */

/**
 * How a seat looks: what it is to everybody, unless it is something to this buyer.
 * @typedef {'free' | 'held' | 'sold' | 'chosen' | 'mine' | 'alone' | 'watched'} SeatLook
 */

const looks = /** @type {const} */ (['free', 'held', 'sold'])

/** What single seats are to this buyer, beside what the map says; few seats at any time. */
export class SeatMarks {
  #seats
  #states
  /** @type {ReadonlyMap<number, SeatLook>} */
  #marks = new Map()

  /** @param {HallSeats} seats @param {Uint8Array} states */
  constructor(seats, states) {
    this.#seats = seats
    this.#states = states
  }

  /** @param {number} unitNo @returns {SeatLook} */
  lookOf(unitNo) {
    const state = this.#states[unitNo] ?? 0
    const mark = this.#marks.get(unitNo)
    // Watching is about what is not free.
    if (mark === undefined || (mark === 'watched' && state === 0)) return looks[state] ?? 'free'
    return mark
  }

  /**
   * Marks these and no others.
   * @param {readonly (readonly [look: SeatLook, codes: Iterable<string>])[]} marks a later one counts more
   * @returns {number[]} the units that look different now
   */
  mark(marks) {
    /** @type {Map<number, SeatLook>} */
    const next = new Map()
    for (const [look, codes] of marks) {
      for (const code of codes) {
        const unitNo = this.#seats.numberOf(code)
        if (unitNo !== undefined) next.set(unitNo, look)
      }
    }
    const before = this.#marks
    this.#marks = next
    return [...new Set([...before.keys(), ...next.keys()])].filter(
      (unitNo) => before.get(unitNo) !== next.get(unitNo),
    )
  }
}
