import { makeUnitTable } from '../../src/domain/sales/unit-table.ts'
import type { UnitsDelta } from '../../src/domain/units/unit-messages.ts'

export const seatCount = 40

const codes = Array.from({ length: seatCount }, (_, unitNo) => `A-01-${String(unitNo + 1).padStart(2, '0')}`)
const row = { row: 1, first: 0, seats: seatCount, x: 0, y: 0, priceClass: 0 }

/** The units of a true hall: one row of seats. */
export const hallUnits = makeUnitTable(
  codes.map((code, unitNo) => ({ unitNo, code, capacity: 1, priceMinor: 0, priceClass: 'A' })),
  {
    kind: 'seats',
    priceClasses: [{ name: 'A', priceMinor: 0 }],
    sections: [{ code: 'A', name: 'A', dx: 1, dy: 0, rows: [row] }],
  },
)

/** A hall as the scripts keep it, and what they publish. */
export class TrueHall {
  epoch = 1
  #rev = 0
  readonly states = new Uint8Array(seatCount)

  change(unitNo: number, state: number): UnitsDelta {
    this.states[unitNo] = state
    const prev = this.#rev++
    return { epoch: this.epoch, prev, seq: this.#rev, changes: [[unitNo, state === 0 ? 1 : 0, state]] }
  }

  /** Redis forgot: what was only held is free. */
  forget(): void {
    this.epoch++
    this.states.forEach((state, unitNo) => (this.states[unitNo] = state === 2 ? 2 : 0))
  }

  reading(): [number, number, string[]] {
    const owners = [...this.states.entries()].filter(([, state]) => state !== 0)
    return [
      this.epoch,
      this.#rev,
      owners.flatMap(([unitNo, state]) => [`${unitNo}:1`, state === 2 ? 's:ord' : 'h:hol']),
    ]
  }

  head(): unknown {
    return { epoch: this.epoch, rev: this.#rev }
  }
}
