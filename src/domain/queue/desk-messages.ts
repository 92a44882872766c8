import { z } from 'zod'
import { saleStatuses } from '../sales/sale.ts'
import type { HeadUpdate } from './queue-messages.ts'

/** What an organiser sees of a sale as it runs, once a second. */
export const saleFigures = z
  .object({
    at: z.iso.datetime({ offset: true }).meta({ description: 'When the figures were taken' }),
    isStale: z
      .boolean()
      .meta({ description: 'Nothing newer was heard for some seconds: nobody works the gate now' }),
    status: z.enum(saleStatuses),
    arrivals: z.int().meta({ description: 'Places in the line given so far' }),
    waiting: z.int(),
    aside: z.int().meta({ description: 'Away when their turn came, and still expected back' }),
    admittedPerMinute: z.int().meta({ description: 'Let in within the last minute' }),
    ratePerMinute: z.int(),
    tokensInUse: z.int(),
    maxActive: z.int(),
    holds: z.int(),
    free: z.int(),
    sold: z.int(),
    total: z.int(),
  })
  .meta({ id: 'SaleFigures' })
export type SaleFigures = z.infer<typeof saleFigures>

export function figuresOf(head: HeadUpdate, isStale: boolean): SaleFigures {
  return {
    at: new Date(head.at).toISOString(),
    isStale,
    status: saleFigures.shape.status.parse(head.status),
    arrivals: head.arrivals,
    waiting: head.waiting,
    aside: head.aside,
    admittedPerMinute: head.pace,
    ratePerMinute: head.rate,
    tokensInUse: head.active,
    maxActive: head.max_active,
    holds: head.holds,
    free: head.free,
    sold: head.sold,
    total: head.total,
  }
}
