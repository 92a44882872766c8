/** @import { HallSeats, Rect } from './hall-seats.js' */

/** Edge of a cell, in seat widths: a tap looks into four cells at the most, of some sixteen seats each. */
const cellSize = 4

/** Finds seats by where they stand, without looking at all of them. */
export class SeatGrid {
  #seats
  #columns
  #rows
  /** Where the seats of each cell begin in `#units`; one more than there are cells. */
  #starts
  #units

  /** @param {Pick<HallSeats, 'x' | 'y' | 'bounds' | 'count'>} seats */
  constructor(seats) {
    this.#seats = seats
    const { left, top, right, bottom } = seats.bounds
    this.#columns = Math.max(1, Math.ceil((right - left) / cellSize))
    this.#rows = Math.max(1, Math.ceil((bottom - top) / cellSize))
    this.#starts = new Uint32Array(this.#columns * this.#rows + 1)
    this.#units = new Uint32Array(seats.count)
    this.#sort()
  }

  /**
   * The seat nearest to a point, undefined when none is so near.
   * @param {{ x: number, y: number }} point
   * @param {number} distanceMax in seat widths
   */
  nearest({ x, y }, distanceMax) {
    const { x: xs, y: ys } = this.#seats
    /** @type {number | undefined} */
    let nearest
    let least = distanceMax ** 2
    const around = {
      left: x - distanceMax,
      top: y - distanceMax,
      right: x + distanceMax,
      bottom: y + distanceMax,
    }
    for (const unitNo of this.within(around)) {
      const distance = ((xs[unitNo] ?? 0) - x) ** 2 + ((ys[unitNo] ?? 0) - y) ** 2
      if (distance > least) continue
      least = distance
      nearest = unitNo
    }
    return nearest
  }

  /**
   * The seats whose middle lies within a rectangle, edges included.
   * @param {Rect} rect
   * @returns {number[]}
   */
  within(rect) {
    const { x: xs, y: ys } = this.#seats
    /** @type {number[]} */
    const found = []
    const [columnFrom, columnTo] = [this.#columnOf(rect.left), this.#columnOf(rect.right)]
    const [rowFrom, rowTo] = [this.#rowOf(rect.top), this.#rowOf(rect.bottom)]
    for (let row = rowFrom; row <= rowTo; row++) {
      const from = this.#starts[row * this.#columns + columnFrom] ?? 0
      const to = this.#starts[row * this.#columns + columnTo + 1] ?? 0
      for (let at = from; at < to; at++) {
        const unitNo = this.#units[at] ?? 0
        const [x, y] = [xs[unitNo] ?? 0, ys[unitNo] ?? 0]
        if (x >= rect.left && x <= rect.right && y >= rect.top && y <= rect.bottom) found.push(unitNo)
      }
    }
    return found
  }

  /** Counts the seats of each cell, then lays them down cell by cell: two passes, no lists to grow. */
  #sort() {
    const { count } = this.#seats
    const cells = new Uint32Array(count)
    for (let unitNo = 0; unitNo < count; unitNo++) {
      const cell = this.#cellOf(unitNo)
      cells[unitNo] = cell
      this.#starts[cell + 1] = (this.#starts[cell + 1] ?? 0) + 1
    }
    for (let cell = 1; cell < this.#starts.length; cell++) {
      this.#starts[cell] = (this.#starts[cell] ?? 0) + (this.#starts[cell - 1] ?? 0)
    }
    const next = this.#starts.slice()
    for (let unitNo = 0; unitNo < count; unitNo++) {
      const cell = cells[unitNo] ?? 0
      const at = next[cell] ?? 0
      this.#units[at] = unitNo
      next[cell] = at + 1
    }
  }

  /** @param {number} unitNo */
  #cellOf(unitNo) {
    const [x, y] = [this.#seats.x[unitNo] ?? 0, this.#seats.y[unitNo] ?? 0]
    return this.#rowOf(y) * this.#columns + this.#columnOf(x)
  }

  /** @param {number} x */
  #columnOf(x) {
    return clamp(Math.floor((x - this.#seats.bounds.left) / cellSize), this.#columns - 1)
  }

  /** @param {number} y */
  #rowOf(y) {
    return clamp(Math.floor((y - this.#seats.bounds.top) / cellSize), this.#rows - 1)
  }
}

/**
 * @param {number} value
 * @param {number} most
 */
function clamp(value, most) {
  return Math.min(Math.max(value, 0), most)
}
