import type { SaleKind } from './sale.ts'
import type { SaleLayout } from './sale-layout-messages.ts'

/** One unit as it is written down. */
export interface NewUnit {
  /** 0 … unitCount − 1. */
  readonly unitNo: number
  readonly code: string
  readonly capacity: number
  readonly priceMinor: number
  readonly priceClass: string
}

/** Rows of a hall, front to back within a section, sections in their order. Seats of a row have consecutive numbers. */
export interface SeatRows {
  readonly sectionCodes: readonly string[]
  /** Per row: index into `sectionCodes`. */
  readonly section: Uint16Array
  /** Per row: its number within the section, from 1. */
  readonly row: Uint16Array
  /** Per row: unit number of its first seat. */
  readonly first: Int32Array
  /** Per row: number of seats. */
  readonly seats: Uint16Array
  /** Per unit: index of its row. */
  readonly rowOf: Int32Array
}

/** All units of one sale, indexed by their number. Never changes once made. */
export interface UnitTable {
  readonly kind: SaleKind
  readonly count: number
  readonly codes: readonly string[]
  readonly capacity: Int32Array
  readonly priceMinor: Int32Array
  /** Per unit: index into `classNames`. */
  readonly priceClass: Uint16Array
  readonly classNames: readonly string[]
  /** Whether nothing in the sale costs anything. */
  readonly free: boolean
  /** Only for seats. */
  readonly seatRows?: SeatRows
  /** The number of the unit with this code. */
  unitNoOf(code: string): number | undefined
}

/** `units` in the order of their numbers, without a gap. */
export function makeUnitTable(units: readonly NewUnit[], layout: SaleLayout): UnitTable {
  const numbers = new Map<string, number>()
  const classNumbers = new Map<string, number>()
  const codes: string[] = []
  const capacity = new Int32Array(units.length)
  const priceMinor = new Int32Array(units.length)
  const priceClass = new Uint16Array(units.length)
  for (const [index, unit] of units.entries()) {
    if (unit.unitNo !== index) throw new Error(`unit ${unit.unitNo} stands where unit ${index} should`)
    codes.push(unit.code)
    numbers.set(unit.code, index)
    capacity[index] = unit.capacity
    priceMinor[index] = unit.priceMinor
    const known = classNumbers.get(unit.priceClass)
    if (known === undefined) classNumbers.set(unit.priceClass, classNumbers.size)
    priceClass[index] = known ?? classNumbers.size - 1
  }
  return {
    kind: layout.kind,
    count: units.length,
    codes,
    capacity,
    priceMinor,
    priceClass,
    classNames: [...classNumbers.keys()],
    free: priceMinor.every((price) => price === 0),
    ...(layout.kind === 'seats' ? { seatRows: makeSeatRows(layout.sections, units.length) } : {}),
    unitNoOf: (code) => numbers.get(code),
  }
}

type LayoutSections = Extract<SaleLayout, { kind: 'seats' }>['sections']

function makeSeatRows(sections: LayoutSections, unitCount: number): SeatRows {
  const rows = sections.flatMap((section, index) => section.rows.map((row) => ({ ...row, section: index })))
  const rowOf = new Int32Array(unitCount)
  rows.forEach((row, index) => rowOf.fill(index, row.first, row.first + row.seats))
  return {
    sectionCodes: sections.map(({ code }) => code),
    section: Uint16Array.from(rows, ({ section }) => section),
    row: Uint16Array.from(rows, ({ row }) => row),
    first: Int32Array.from(rows, ({ first }) => first),
    seats: Uint16Array.from(rows, ({ seats }) => seats),
    rowOf,
  }
}
