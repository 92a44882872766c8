/** @import { AvailabilityDelta, AvailabilitySnapshot } from '../../src/domain/units/unit-messages.ts' */

/** What a seat can be, by the numbers that snapshots and deltas use. */
export const seatState = /** @type {const} */ ({ free: 0, held: 1, sold: 2 })

/**
 * What came of a message: `all` is new, these units changed, nothing did, or something is missing in between and the
 * whole has to be asked for again from `position`.
 * @typedef {{ type: 'all' } | { type: 'changed', units: number[] } | { type: 'gap' }} MapChange
 */

/** The map of a sale's units as the server has it, some milliseconds ago. */
export class UnitMap {
  /** Of each seat, in a sale of seats. @type {Uint8Array} */
  seats
  /** Free places of each slot, in a sale of slots. @type {Int32Array} */
  left
  #numberOf
  /** @type {{ epoch: number, seq: number } | undefined} */
  #position

  /**
   * @param {object} layout
   * @param {'seats' | 'slots'} layout.kind
   * @param {number} layout.unitCount
   * @param {(code: string) => number | undefined} layout.numberOf
   */
  constructor({ kind, unitCount, numberOf }) {
    this.seats = new Uint8Array(kind === 'seats' ? unitCount : 0)
    this.left = new Int32Array(kind === 'slots' ? unitCount : 0)
    this.#numberOf = numberOf
  }

  get isKnown() {
    return this.#position !== undefined
  }

  /** `epoch:seq`, to resume from; undefined before the first snapshot. */
  get position() {
    return this.#position && `${this.#position.epoch}:${this.#position.seq}`
  }

  /**
   * @param {AvailabilitySnapshot} snapshot
   * @returns {MapChange}
   */
  applySnapshot({ epoch, seq, seats, pools }) {
    this.#position = { epoch, seq }
    if (this.seats.length > 0) readSeats(seats, this.seats)
    this.#readPools(pools)
    return { type: 'all' }
  }

  /**
   * A delta counts only if it follows what is known: the same epoch, and `prev` is where this map stands. What was
   * seen before changes nothing, so a repeated delta does no harm.
   * @param {AvailabilityDelta} delta
   * @param {string} [id] the `epoch:seq` that came with it
   * @returns {MapChange}
   */
  applyDelta({ prev, seq, changes, pools }, id) {
    const at = this.#position
    if (at === undefined || !isOfEpoch(id, at.epoch)) return { type: 'gap' }
    if (prev !== at.seq) return seq <= at.seq ? { type: 'changed', units: [] } : { type: 'gap' }
    this.#position = { epoch: at.epoch, seq }
    const units = this.#readPools(pools)
    for (const [unitNo, state] of changes) {
      if (unitNo >= this.seats.length || this.seats[unitNo] === state) continue
      this.seats[unitNo] = state
      units.push(unitNo)
    }
    return { type: 'changed', units }
  }

  /** @param {Readonly<Record<string, number>>} pools */
  #readPools(pools) {
    const changed = []
    for (const [code, left] of Object.entries(pools)) {
      const unitNo = this.#numberOf(code)
      if (unitNo === undefined || unitNo >= this.left.length || this.left[unitNo] === left) continue
      this.left[unitNo] = left
      changed.push(unitNo)
    }
    return changed
  }
}

/**
 * Two bits a seat: seat u is in byte u >> 2, shifted by 2 · (u & 3).
 * @param {string} text base64
 * @param {Uint8Array} into
 */
function readSeats(text, into) {
  const bytes = atob(text)
  for (let unitNo = 0; unitNo < into.length; unitNo++) {
    into[unitNo] = (bytes.charCodeAt(unitNo >> 2) >> (2 * (unitNo & 3))) & 3
  }
}

/**
 * @param {string | undefined} id
 * @param {number} epoch
 */
function isOfEpoch(id, epoch) {
  return id === undefined || id.startsWith(`${epoch}:`)
}
