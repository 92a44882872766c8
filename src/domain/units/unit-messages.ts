import { z } from 'zod'

/** What a seat can be; deltas and snapshots say it as the index. */
const seatStates = ['free', 'held', 'sold'] as const

/** What scripts publish about units: `[unit, free places, state of a seat: 0 free, 1 held, 2 sold]`. */
export const unitsDelta = z.object({
  epoch: z.number(),
  prev: z.number(),
  seq: z.number(),
  changes: z.array(z.tuple([z.number(), z.number(), z.number()])),
})
export type UnitsDelta = z.infer<typeof unitsDelta>

/** Free places of pools by their codes. */
const pools = z.record(z.string(), z.int().min(0))

/** `GET /sales/{sale}/availability`, and the event `snapshot`. */
export const availabilitySnapshot = z
  .object({
    epoch: z.int(),
    seq: z.int(),
    seats: z.string().meta({
      description:
        'In a sale of seats two bits a seat, in base64: seat u in byte u >> 2, shifted by 2 · (u & 3); 0 free, 1 held, 2 sold. Empty in a sale of slots.',
    }),
    pools: pools.meta({ description: 'In a sale of slots the free places by unit code.' }),
  })
  .meta({ id: 'Availability' })
export type AvailabilitySnapshot = z.infer<typeof availabilitySnapshot>

/** What changed after `prev` up to `seq`: apply it if you stand at `prev`, else ask again with `since`. */
export const availabilityDelta = z
  .object({
    prev: z.int(),
    seq: z.int(),
    changes: z.array(z.tuple([z.int(), z.int().min(0).max(2)])).meta({ description: '[seat, state] each' }),
    pools,
  })
  .meta({
    id: 'AvailabilityDelta',
    description: 'With `prev` equal to `seq` it only says where the map is, so that a lost delta is noticed.',
  })
export type AvailabilityDelta = z.infer<typeof availabilityDelta>

export const unitFree = z.object({ unit: z.string() }).meta({ id: 'UnitFree' })

/** Units one asks to be told of when they are free again; the list replaces the one before. */
export const watchedUnits = z
  .strictObject({ watch: z.array(z.string().min(1).max(64)).max(20) })
  .meta({ id: 'Watch' })

export const unitView = z
  .object({
    unit: z.string(),
    state: z.enum(seatStates).meta({ description: '`held` or `sold` when nothing of it is left' }),
    left: z.int().min(0),
    capacity: z.int(),
    priceMinor: z.int(),
    priceClass: z.string(),
    heldUntil: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ description: 'When the hold on a seat ends, unless it is ordered or extended before' }),
  })
  .meta({ id: 'Unit' })
export type UnitView = z.infer<typeof unitView>

const unitCode = z.string().min(1).max(64)

export const holdBody = z
  .union([
    z.strictObject({
      units: z
        .array(z.strictObject({ unit: unitCode, quantity: z.int().min(1).max(50).optional() }))
        .min(1)
        .max(50),
    }),
    z.strictObject({
      best: z.strictObject({
        count: z.int().min(1).max(50),
        section: unitCode.optional(),
        priceClass: unitCode.optional(),
      }),
    }),
  ])
  .meta({ id: 'HoldRequest' })

export const holdView = z
  .object({
    hold: z.object({
      id: z.string(),
      units: z.array(z.object({ unit: z.string(), quantity: z.int() })),
      expiresAt: z.iso.datetime({ offset: true }),
      extendable: z.boolean().meta({ description: 'Whether it may still be extended, once' }),
    }),
  })
  .meta({ id: 'Hold' })
export type HoldView = z.infer<typeof holdView>

/** One's own holds of which no order was made yet. */
export const holdList = z.object({ items: z.array(holdView.shape.hold) }).meta({ id: 'HoldList' })
