/** @import { HallLayout } from '../../src/domain/sales/sale-layout-messages.ts' */

/**
 * @typedef {object} HallRow
 * @property {number} section index of its section
 * @property {number} row its number within the section
 * @property {number} first the unit number of its first seat
 * @property {number} seats how many
 * @property {number} priceClass
 */
/**
 * @typedef {object} HallSection
 * @property {string} code
 * @property {string} name
 * @property {number} first the unit number of its first seat
 * @property {number} seats
 * @property {readonly HallRow[]} rows
 * @property {readonly Point[]} outline goes around its seats
 * @property {Point} middle
 * @property {Rect} bounds
 * @property {number} mainClass the price class of most of its seats
 */
/** @typedef {readonly [x: number, y: number]} Point */
/** @typedef {{ left: number, top: number, right: number, bottom: number }} Rect */

/** Half a seat and a little air. */
const margin = 0.7

/** Every seat of a hall: where it stands, what it costs, what it is called. Units are numbered as in the layout. */
export class HallSeats {
  /** @type {Float32Array} */
  x
  /** @type {Float32Array} */
  y
  /** Index into `priceClasses`, by unit. @type {Uint8Array} */
  priceClass
  /** Index into `rows`, by unit. @type {Uint32Array} */
  rowIndex
  /** @type {readonly HallRow[]} */
  rows
  /** @type {readonly HallSection[]} */
  sections
  priceClasses
  /** @type {Rect} */
  bounds
  #sectionByCode

  /** @param {HallLayout} layout */
  constructor(layout) {
    const rowsOf = layout.sections.map(({ rows }, section) =>
      rows.map(({ row, first, seats, priceClass }) => ({ section, row, first, seats, priceClass })),
    )
    this.priceClasses = layout.priceClasses
    this.rows = rowsOf.flat()
    const count = this.rows.reduce((sum, { seats }) => sum + seats, 0)
    this.x = new Float32Array(count)
    this.y = new Float32Array(count)
    this.priceClass = new Uint8Array(count)
    this.rowIndex = new Uint32Array(count)
    this.#place(layout)
    this.sections = layout.sections.map((section, index) => this.#sectionOf(section, rowsOf[index] ?? []))
    this.bounds = boundsOf(this.sections.flatMap(({ outline }) => outline))
    this.#sectionByCode = new Map(this.sections.map((section) => [section.code, section]))
  }

  get count() {
    return this.x.length
  }

  /** @param {number} unitNo */
  rowOf(unitNo) {
    return this.rows[this.rowIndex[unitNo] ?? -1]
  }

  /** @param {number} unitNo */
  sectionOf(unitNo) {
    return this.sections[this.rowOf(unitNo)?.section ?? -1]
  }

  /** Which seat of its row, from 1 on. @param {number} unitNo */
  seatInRow(unitNo) {
    return unitNo - (this.rowOf(unitNo)?.first ?? 0) + 1
  }

  /** Such as `A-03-07`. @param {number} unitNo */
  codeOf(unitNo) {
    const row = this.rowOf(unitNo)
    const section = row && this.sections[row.section]
    if (!row || !section) return ''
    return `${section.code}-${twoDigits(row.row)}-${twoDigits(unitNo - row.first + 1)}`
  }

  /** @param {string} code */
  numberOf(code) {
    const [sectionCode = '', row = '', seat = ''] = code.split('-')
    const found = this.#sectionByCode
      .get(sectionCode)
      ?.rows.find((candidate) => candidate.row === Number(row))
    const nth = Number(seat)
    const isThere = found !== undefined && Number.isInteger(nth) && nth >= 1 && nth <= found.seats
    return isThere ? found.first + nth - 1 : undefined
  }

  /** @param {number} unitNo */
  priceMinorOf(unitNo) {
    return this.priceClasses[this.priceClass[unitNo] ?? 0]?.priceMinor ?? 0
  }

  /** @param {HallLayout} layout */
  #place({ sections }) {
    let rowIndex = 0
    for (const { dx, dy, rows } of sections) {
      for (const row of rows) {
        for (let seat = 0; seat < row.seats; seat++) {
          const unitNo = row.first + seat
          this.x[unitNo] = row.x + seat * dx
          this.y[unitNo] = row.y + seat * dy
          this.priceClass[unitNo] = row.priceClass
          this.rowIndex[unitNo] = rowIndex
        }
        rowIndex += 1
      }
    }
  }

  /**
   * @param {HallLayout['sections'][number]} section
   * @param {readonly HallRow[]} rows
   * @returns {HallSection}
   */
  #sectionOf({ code, name, dx, dy, rows: drawn }, rows) {
    const outline = outlineOf({ dx, dy, rows: drawn })
    const bounds = boundsOf(outline)
    return {
      code,
      name,
      first: rows[0]?.first ?? 0,
      seats: rows.reduce((sum, { seats }) => sum + seats, 0),
      rows,
      outline,
      middle: [(bounds.left + bounds.right) / 2, (bounds.top + bounds.bottom) / 2],
      bounds,
      mainClass: mainClassOf(rows),
    }
  }
}

/**
 * Down the left ends of the rows and up the right ones, with some air around. Rows run along (dx, dy), so what lies
 * behind them runs along (−dy, dx).
 * @param {Pick<HallLayout['sections'][number], 'dx' | 'dy' | 'rows'>} section
 * @returns {Point[]}
 */
function outlineOf({ dx, dy, rows }) {
  /** @param {HallLayout['sections'][number]['rows'][number]} row @param {number} along @param {number} behind @returns {Point} */
  const corner = ({ x, y }, along, behind) => [x + along * dx - behind * dy, y + along * dy + behind * dx]
  const left = rows.flatMap((row) => [corner(row, -margin, -margin), corner(row, -margin, margin)])
  const right = rows.flatMap((row) => {
    const end = row.seats - 1 + margin
    return [corner(row, end, -margin), corner(row, end, margin)]
  })
  return [...left, ...right.toReversed()]
}

/** @param {readonly HallRow[]} rows */
function mainClassOf(rows) {
  /** @type {Map<number, number>} */
  const counts = new Map()
  for (const { priceClass, seats } of rows) counts.set(priceClass, (counts.get(priceClass) ?? 0) + seats)
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 0
}

/**
 * @param {readonly Point[]} points
 * @returns {Rect}
 */
function boundsOf(points) {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
  for (const [x, y] of points) {
    bounds.left = Math.min(bounds.left, x)
    bounds.top = Math.min(bounds.top, y)
    bounds.right = Math.max(bounds.right, x)
    bounds.bottom = Math.max(bounds.bottom, y)
  }
  return bounds
}

/** @param {number} value */
function twoDigits(value) {
  return String(value).padStart(2, '0')
}
