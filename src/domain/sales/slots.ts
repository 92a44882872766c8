import { generalErrors, Problem, type FieldError } from '../../errors.ts'
import { saleLimits, type SlotsDescription, type SlotsLayout } from './sale-layout-messages.ts'
import type { NewUnit } from './unit-table.ts'

/** The price class of every slot: slots have one price. */
const slotPriceClass = 'standard'
const dayMs = 86_400_000

/**
 * The slots of a calendar and what a page draws, both in the order of time. Throws `invalid_request`, with fields below
 * `slots`.
 */
export function buildSlots(slots: SlotsDescription): { units: NewUnit[]; layout: SlotsLayout } {
  const dates = openDates(slots)
  const errors = [
    ...dateErrors(slots, dates),
    ...repeatErrors('slots.hours', slots.hours),
    ...exceptionErrors(slots, dates),
  ]
  const hours = slots.hours.toSorted()
  const { capacity, priceMinor } = slots
  const exceptions = (slots.exceptions ?? []).map((day) => ({
    date: day.date,
    hours: day.hours?.toSorted() ?? hours,
    capacity: day.capacity ?? capacity,
  }))
  const exceptionOf = new Map(exceptions.map((day) => [day.date, day]))
  const days = dates.map((date) => exceptionOf.get(date) ?? { date, hours, capacity })
  const unitCount = days.reduce((sum, day) => sum + day.hours.length, 0)
  const placeCount = days.reduce((sum, day) => sum + day.hours.length * day.capacity, 0)
  if (unitCount > saleLimits.units) {
    errors.push({ field: 'slots', message: `must not make more than ${saleLimits.units} slots` })
  } else if (placeCount > saleLimits.places) {
    errors.push({
      field: 'slots.capacity',
      message: `must not make more than ${saleLimits.places} places together`,
    })
  }
  if (errors.length > 0) throw new Problem(generalErrors.invalid_request, { errors: errors.slice(0, 50) })

  const slotsOf = days.flatMap((day) =>
    day.hours.map((hour) => ({ code: `${day.date}T${hour}`, capacity: day.capacity })),
  )
  const units = slotsOf.map((slot, unitNo) => ({ ...slot, unitNo, priceMinor, priceClass: slotPriceClass }))
  const layout = { kind: 'slots', dates, hours, capacity, priceMinor } as const
  return { units, layout: exceptions.length === 0 ? layout : { ...layout, exceptions } }
}

function openDates({ dates, closedDates }: SlotsDescription): string[] {
  const closed = new Set(closedDates)
  const all = Array.isArray(dates) ? dates.toSorted() : daysBetween(dates.from, dates.to)
  return all.filter((date) => !closed.has(date))
}

/** Both ends included. Stops one day after the most that may be asked for, so that a wide range costs nothing. */
function daysBetween(from: string, to: string): string[] {
  const first = Date.parse(from)
  const count = Math.min((Date.parse(to) - first) / dayMs + 1, saleLimits.units + 1)
  return Array.from({ length: Math.max(0, count) }, (_, day) =>
    new Date(first + day * dayMs).toISOString().slice(0, 10),
  )
}

function dateErrors({ dates }: SlotsDescription, open: readonly string[]): FieldError[] {
  if (!Array.isArray(dates) && dates.from > dates.to) {
    return [{ field: 'slots.dates.to', message: 'must not lie before `from`' }]
  }
  const errors = Array.isArray(dates) ? repeatErrors('slots.dates', dates) : []
  if (open.length === 0) errors.push({ field: 'slots.closedDates', message: 'must leave at least one date' })
  return errors
}

function exceptionErrors({ exceptions = [] }: SlotsDescription, open: readonly string[]): FieldError[] {
  const isOpen = new Set(open)
  const errors = repeatErrors(
    'slots.exceptions',
    exceptions.map(({ date }) => date),
  )
  for (const [index, { date, hours = [] }] of exceptions.entries()) {
    const field = `slots.exceptions.${index}`
    if (!isOpen.has(date)) errors.push({ field: `${field}.date`, message: 'must be one of the open dates' })
    errors.push(...repeatErrors(`${field}.hours`, hours))
  }
  return errors
}

function repeatErrors(field: string, words: readonly string[]): FieldError[] {
  const seen = new Set<string>()
  return words.flatMap((word, index) => {
    if (!seen.has(word)) {
      seen.add(word)
      return []
    }
    return [{ field: `${field}.${index}`, message: 'is there already' }]
  })
}
