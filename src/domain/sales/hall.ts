import { generalErrors, Problem, type FieldError } from '../../errors.ts'
import { saleLimits, type HallDescription, type HallLayout } from './sale-layout-messages.ts'
import type { NewUnit } from './unit-table.ts'

type SectionDescription = HallDescription['sections'][number]
type LayoutSection = HallLayout['sections'][number]

/** Distance from a row to the next, in seat widths. */
const rowPitch = 1.2
/** Room left between sections that have no place of their own. */
const aisle = 2

/**
 * The seats of a hall and what a page draws. Seats are numbered section by section, row by row, seat by seat, so the
 * neighbours of a seat are the numbers beside it. Throws `invalid_request`, with fields below `hall`.
 */
export function buildHall(hall: HallDescription): { units: NewUnit[]; layout: HallLayout } {
  const errors = [...classErrors(hall), ...hall.sections.flatMap((_, index) => sectionErrors(hall, index))]
  const seatCount = hall.sections.flatMap(seatsOfRows).reduce((sum, seats) => sum + seats, 0)
  if (seatCount > saleLimits.units) {
    errors.push({
      field: 'hall.sections',
      message: `must not hold more than ${saleLimits.units} seats together`,
    })
  }
  if (errors.length > 0) throw new Problem(generalErrors.invalid_request, { errors: errors.slice(0, 50) })

  const middles = middlesOfSections(hall.sections)
  const units: NewUnit[] = []
  const sections = hall.sections.map((section, index): LayoutSection => {
    const drawn = drawSection({ section, hall, middleX: middles[index] ?? 0, first: units.length })
    for (const row of drawn.rows) units.push(...seatsOfRow(section.code, row, hall))
    return drawn
  })
  const priceClasses = hall.priceClasses.map(({ name, priceMinor }) => ({ name, priceMinor }))
  return { units, layout: { kind: 'seats', priceClasses, sections } }
}

/** Public name of a seat; `row` and `seat` count from 1. */
export function seatCode(section: string, row: number, seat: number): string {
  return `${section}-${String(row).padStart(2, '0')}-${String(seat).padStart(2, '0')}`
}

function classErrors(hall: HallDescription): FieldError[] {
  const names = hall.priceClasses.map(({ name }) => name)
  return repeated(names).map((index) => ({
    field: `hall.priceClasses.${index}.name`,
    message: 'is there already',
  }))
}

function sectionErrors(hall: HallDescription, index: number): FieldError[] {
  const section = hall.sections[index]
  if (section === undefined) return []
  const at = `hall.sections.${index}`
  const errors: FieldError[] = []
  const known = new Set(hall.priceClasses.map(({ name }) => name))
  // A and a would be told apart by the server and mixed up by everybody else.
  const code = section.code.toLowerCase()
  if (hall.sections.findIndex((other) => other.code.toLowerCase() === code) < index) {
    errors.push({ field: `${at}.code`, message: 'is the code of another section' })
  }
  if (Array.isArray(section.seatsPerRow) && section.seatsPerRow.length !== section.rows) {
    errors.push({
      field: `${at}.seatsPerRow`,
      message: `must have ${section.rows} numbers, one for each row`,
    })
  }
  if (!known.has(section.priceClass)) {
    errors.push({ field: `${at}.priceClass`, message: 'is not among the price classes' })
  }
  section.rowPriceClasses?.forEach((range, nth) => {
    const field = `${at}.rowPriceClasses.${nth}`
    if (!known.has(range.priceClass)) {
      errors.push({ field: `${field}.priceClass`, message: 'is not among the price classes' })
    }
    if (range.from > range.to)
      errors.push({ field: `${field}.to`, message: 'must not be smaller than `from`' })
    if (range.to > section.rows)
      errors.push({ field: `${field}.to`, message: `must be a row, at most ${section.rows}` })
  })
  return errors
}

function drawSection(options: {
  section: SectionDescription
  hall: HallDescription
  middleX: number
  first: number
}): LayoutSection {
  const { section, hall, middleX } = options
  const angle = ((section.angleDegrees ?? 0) * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  let first = options.first
  const rows = seatsOfRows(section).map((seats, index) => {
    const [alongRow, awayFromStage] = [-(seats - 1) / 2, index * rowPitch]
    const row = {
      row: index + 1,
      first,
      seats,
      x: rounded(middleX + alongRow * cos - awayFromStage * sin),
      y: rounded((section.y ?? 0) + alongRow * sin + awayFromStage * cos),
      priceClass: classOfRow(section, index + 1, hall),
    }
    first += seats
    return row
  })
  return { code: section.code, name: section.name ?? section.code, dx: rounded(cos), dy: rounded(sin), rows }
}

function seatsOfRow(section: string, row: LayoutSection['rows'][number], hall: HallDescription): NewUnit[] {
  const priceClass = hall.priceClasses[row.priceClass]
  return Array.from({ length: row.seats }, (_, seat) => ({
    unitNo: row.first + seat,
    code: seatCode(section, row.row, seat + 1),
    capacity: 1,
    priceMinor: priceClass?.priceMinor ?? 0,
    priceClass: priceClass?.name ?? '',
  }))
}

function classOfRow(section: SectionDescription, row: number, hall: HallDescription): number {
  const range = section.rowPriceClasses?.findLast(({ from, to }) => from <= row && row <= to)
  const wanted = range?.priceClass ?? section.priceClass
  return hall.priceClasses.findIndex(({ name }) => name === wanted)
}

function seatsOfRows(section: SectionDescription): number[] {
  const { rows, seatsPerRow } = section
  return Array.isArray(seatsPerRow) ? seatsPerRow : Array.from({ length: rows }, () => seatsPerRow)
}

/** Sections without an `x` stand side by side, in the order given, with the middle of them all at 0. */
function middlesOfSections(sections: readonly SectionDescription[]): number[] {
  const widths = sections.map((section) =>
    section.x === undefined ? Math.max(...seatsOfRows(section)) + aisle : 0,
  )
  let left = -widths.reduce((sum, width) => sum + width, 0) / 2
  return sections.map((section, index) => {
    const width = widths[index] ?? 0
    left += width
    return section.x ?? left - width / 2
  })
}

function rounded(value: number): number {
  // Adding 0 turns −0 into 0.
  return Math.round(value * 1000) / 1000 + 0
}

/** Positions of the words that stood in the list before. */
function repeated(words: readonly string[]): number[] {
  return words.flatMap((word, index) => (words.indexOf(word) < index ? [index] : []))
}
