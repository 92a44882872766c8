import { z } from 'zod'

/** What scripts publish about units: `[unit, free places, state of a seat: 0 free, 1 held, 2 sold]`. */
export const unitsDelta = z.object({
  epoch: z.number(),
  prev: z.number(),
  seq: z.number(),
  changes: z.array(z.tuple([z.number(), z.number(), z.number()])),
})
export type UnitsDelta = z.infer<typeof unitsDelta>

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
    }),
  })
  .meta({ id: 'Hold' })
export type HoldView = z.infer<typeof holdView>
