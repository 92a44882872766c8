/** @import { SlotsLayout } from '../../src/domain/sales/sale-layout-messages.ts' */

const dayMs = 86_400_000
const weekMs = 7 * dayMs

/** The slots of a sale by date and hour; unit numbers and codes as in the layout. */
export class SlotTable {
  dates
  hours
  capacity
  priceMinor
  #dateIndex
  #hourIndex

  /** @param {Omit<SlotsLayout, 'kind'>} layout */
  constructor({ dates, hours, capacity, priceMinor }) {
    this.dates = dates
    this.hours = hours
    this.capacity = capacity
    this.priceMinor = priceMinor
    this.#dateIndex = new Map(dates.map((date, index) => [date, index]))
    this.#hourIndex = new Map(hours.map((hour, index) => [hour, index]))
  }

  get count() {
    return this.dates.length * this.hours.length
  }

  /** @param {number} unitNo */
  codeOf(unitNo) {
    return `${this.dateOf(unitNo)}T${this.hourOf(unitNo)}`
  }

  /** @param {number} unitNo */
  dateOf(unitNo) {
    return this.dates[Math.floor(unitNo / this.hours.length)] ?? ''
  }

  /** @param {number} unitNo */
  hourOf(unitNo) {
    return this.hours[unitNo % this.hours.length] ?? ''
  }

  /** @param {string} code */
  numberOf(code) {
    const [date = '', hour = ''] = code.split('T')
    return this.at(date, hour)
  }

  /** Undefined on a day that is closed. @param {string} date @param {string} hour */
  at(date, hour) {
    const [d, h] = [this.#dateIndex.get(date), this.#hourIndex.get(hour)]
    return d === undefined || h === undefined ? undefined : d * this.hours.length + h
  }

  /** The free places of a whole day; undefined on a day that is closed. @param {string} date @param {Int32Array} left */
  leftOn(date, left) {
    const day = this.#dateIndex.get(date)
    if (day === undefined) return undefined
    const first = day * this.hours.length
    return left.subarray(first, first + this.hours.length).reduce((sum, places) => sum + places, 0)
  }

  /**
   * All days from the first to the last, those that are closed as well, seven at a time. Where all seven are closed
   * they are left out.
   * @returns {string[][]}
   */
  weeks() {
    const [first, last] = [Date.parse(this.dates[0] ?? ''), Date.parse(this.dates.at(-1) ?? '')]
    const open = new Set(this.dates.map((date) => Math.floor((Date.parse(date) - first) / weekMs)))
    return [...open].map((week) => {
      const begin = first + week * weekMs
      const days = Math.min(7, (last - begin) / dayMs + 1)
      return Array.from({ length: days }, (_, day) => isoDate(begin + day * dayMs))
    })
  }
}

/** @param {number} ms */
function isoDate(ms) {
  return new Date(ms).toISOString().slice(0, 10)
}
