import { z } from 'zod'

/** What one sale may hold at most. */
export const saleLimits = {
  units: 50_000,
  places: 10_000_000,
  capacityPerUnit: 1_000_000,
  priceMinor: 1_000_000_000,
  sections: 500,
  rowsPerSection: 500,
  seatsPerRow: 1_000,
  priceClasses: 50,
} as const

/** Text for people: no control characters and no half surrogates, which PostgreSQL would refuse. */
export const plainText = (lengthMax: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not hold control characters')

const price = z
  .int()
  .min(0)
  .max(saleLimits.priceMinor)
  .describe('In the minor unit of the currency; 0 is free.')
const capacity = z.int().min(1).max(saleLimits.capacityPerUnit)
const rowNumber = z.int().min(1).max(saleLimits.rowsPerSection)
const seatCount = z.int().min(1).max(saleLimits.seatsPerRow)
const coordinate = z.number().min(-100_000).max(100_000)
const className = plainText(40)
const sectionCode = z
  .string()
  .normalize('NFC')
  .regex(/^[\p{L}\p{N}]{1,8}$/u, 'must be 1 to 8 letters and digits')

const priceClass = z.strictObject({ name: className, priceMinor: price })

const sectionDescription = z.strictObject({
  code: sectionCode.describe('First part of the code of each seat, such as `A` in `A-03-07`.'),
  name: plainText(80).optional().describe('Shown to buyers; the code when left out.'),
  rows: rowNumber.describe('How many rows; row 1 is nearest to the stage.'),
  seatsPerRow: z
    .union([seatCount, z.array(seatCount).min(1).max(saleLimits.rowsPerSection)])
    .describe('The same for each row, or a list with one number for each.'),
  priceClass: className.describe('Of all rows that `rowPriceClasses` does not name.'),
  rowPriceClasses: z
    .array(z.strictObject({ from: rowNumber, to: rowNumber, priceClass: className }))
    .max(saleLimits.rowsPerSection)
    .optional()
    .describe('Price classes of ranges of rows, both ends included.'),
  x: coordinate
    .optional()
    .describe('Where the middle of row 1 is, in seat widths; beside the section before it when left out.'),
  y: coordinate.optional().describe('The same away from the stage; 0 when left out.'),
  angleDegrees: z
    .number()
    .min(-180)
    .max(180)
    .optional()
    .describe('Turns the section around the middle of row 1.'),
})

export const hallDescription = z.strictObject({
  priceClasses: z.array(priceClass).min(1).max(saleLimits.priceClasses),
  sections: z
    .array(sectionDescription)
    .min(1)
    .max(saleLimits.sections)
    .describe('The best first: the order in which best seats are looked for.'),
})
export type HallDescription = z.infer<typeof hallDescription>

/** A time of day, in the local time of the place. */
export const hour = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 10:00')
const slotDate = z.iso.date()

export const slotsDescription = z.strictObject({
  dates: z
    .union([
      z.array(slotDate).min(1).max(saleLimits.units),
      z
        .strictObject({ from: slotDate, to: slotDate })
        .describe('Every day from one to the other, both included.'),
    ])
    .describe('In the local time of the place.'),
  hours: z.array(hour).min(1).max(1_440).describe('When the slots of a day begin.'),
  capacity: capacity.default(10).describe('Places in each slot.'),
  priceMinor: price,
  closedDates: z.array(slotDate).max(5_000).optional().describe('Dates that have no slots.'),
  exceptions: z
    .array(
      z
        .strictObject({
          date: slotDate,
          hours: z.array(hour).min(1).max(1_440).optional(),
          capacity: capacity.optional(),
        })
        .refine(({ hours, capacity: places }) => hours !== undefined || places !== undefined, {
          path: ['hours'],
          message: 'must be given, or a capacity',
        }),
    )
    .max(5_000)
    .optional()
    .describe('Dates that have other hours, or other places in each slot, than the others.'),
})
export type SlotsDescription = z.infer<typeof slotsDescription>

const layoutRow = z.object({
  row: z.int().describe('Its number within the section.'),
  first: z.int().describe('Index of its first seat among the units of the sale.'),
  seats: z.int(),
  x: z.number().describe('Where the middle of its first seat is.'),
  y: z.number(),
  priceClass: z.int().describe('Index into `priceClasses`.'),
})

const layoutSection = z.object({
  code: z.string(),
  name: z.string(),
  dx: z.number().describe('Step from a seat to the next in its row.'),
  dy: z.number(),
  rows: z.array(layoutRow),
})

/**
 * A hall, drawn from its rows: seat k (from 0) of a row is unit `first + k`, stands at `(x + k·dx, y + k·dy)` in seat
 * widths with the stage at small y, and has the code `<section>-<row>-<k + 1>` with both numbers at least two digits wide.
 */
export const hallLayout = z.object({
  kind: z.literal('seats'),
  priceClasses: z.array(z.object({ name: z.string(), priceMinor: z.int() })),
  sections: z.array(layoutSection),
})
export type HallLayout = z.infer<typeof hallLayout>

/**
 * Slots date by date: those of a date are numbered in the order of its hours, right after those of the date before, and
 * have the code `<date>T<hour>`. Without exceptions the slot of date d and hour h (both from 0) is unit `d · hours.length + h`.
 */
export const slotsLayout = z.object({
  kind: z.literal('slots'),
  dates: z.array(z.string()),
  hours: z.array(z.string()).describe('Of each date that is no exception.'),
  capacity: z.int().describe('The same of its places in each slot.'),
  priceMinor: z.int(),
  exceptions: z
    .array(z.object({ date: z.string(), hours: z.array(z.string()), capacity: z.int() }))
    .optional()
    .describe('Dates that have other hours or places.'),
})
export type SlotsLayout = z.infer<typeof slotsLayout>

export const saleLayout = z.discriminatedUnion('kind', [hallLayout, slotsLayout]).meta({ id: 'SaleLayout' })
export type SaleLayout = z.infer<typeof saleLayout>
