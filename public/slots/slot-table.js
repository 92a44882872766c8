/** @import { SlotsLayout } from '../../src/domain/sales/sale-layout-messages.ts' */

/**
 * @typedef {object} SlotDay
 * @property {string} date
 * @property {readonly string[]} hours
 * @property {number} capacity places in each of its slots
 * @property {number} first the unit number of its first slot
 */

const dayMs = 86_400_000
const weekMs = 7 * dayMs

/** The slots of a sale by date and hour; unit numbers and codes as in the layout. */
export class SlotTable {
  dates
  /** Every hour of any day. @type {readonly string[]} */
  hours
  priceMinor
  /** @type {Map<string, SlotDay>} */
  #days = new Map()
  /** By unit. @type {SlotDay[]} */
  #dayOf = []

  /** @param {Omit<SlotsLayout, 'kind'>} layout */
  constructor({ dates, hours, capacity, priceMinor, exceptions = [] }) {
    this.dates = dates
    this.priceMinor = priceMinor
    this.hours = [...new Set([...hours, ...exceptions.flatMap((day) => day.hours)])].toSorted()
    const exceptionOf = new Map(exceptions.map((day) => [day.date, day]))
    for (const date of dates) {
      const day = { ...(exceptionOf.get(date) ?? { date, hours, capacity }), first: this.#dayOf.length }
      this.#days.set(date, day)
      for (let slot = 0; slot < day.hours.length; slot++) this.#dayOf.push(day)
    }
  }

  get count() {
    return this.#dayOf.length
  }

  /** @param {number} unitNo */
  codeOf(unitNo) {
    return `${this.dateOf(unitNo)}T${this.hourOf(unitNo)}`
  }

  /** @param {number} unitNo */
  dateOf(unitNo) {
    return this.#dayOf[unitNo]?.date ?? ''
  }

  /** @param {number} unitNo */
  hourOf(unitNo) {
    const day = this.#dayOf[unitNo]
    return day?.hours[unitNo - day.first] ?? ''
  }

  /** @param {number} unitNo */
  capacityOf(unitNo) {
    return this.#dayOf[unitNo]?.capacity ?? 0
  }

  /** @param {string} code */
  numberOf(code) {
    const [date = '', hour = ''] = code.split('T')
    return this.at(date, hour)
  }

  /** Undefined where there is no slot. @param {string} date @param {string} hour */
  at(date, hour) {
    const day = this.#days.get(date)
    const nth = day?.hours.indexOf(hour) ?? -1
    return day === undefined || nth < 0 ? undefined : day.first + nth
  }

  /** The free places of a whole day; undefined on a day that is closed. @param {string} date @param {Int32Array} left */
  leftOn(date, left) {
    const day = this.#days.get(date)
    if (day === undefined) return undefined
    return left.subarray(day.first, day.first + day.hours.length).reduce((sum, places) => sum + places, 0)
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
