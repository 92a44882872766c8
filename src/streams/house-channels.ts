import { z } from 'zod'

/** Where a sale's writer says that a new epoch began; every edge listens, whether or not it knows the sale. */
export const epochChannel = 'openrun:epoch'

export const epochNotice = z.object({ sale: z.string(), epoch: z.number() })

/** Where it is said that a sale was changed, so that nobody goes on with what they remember of it. */
export const saleChannel = 'openrun:sale'

/** Where it is said that a payment waits; the row is the work, this only hurries. */
export const paymentsChannel = 'openrun:payments'

/** Where it is said what happened to an account's orders. */
export const accountChannel = 'openrun:account'

export const accountNotice = z.object({
  account: z.string(),
  type: z.literal('order'),
  data: z.object({ order: z.string(), status: z.string() }),
})
export type AccountNotice = z.infer<typeof accountNotice>

/** What is said at once: whoever carries a crowd's orders says so many together. */
export const accountNotices = z.array(accountNotice)
