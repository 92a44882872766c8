import { z } from 'zod'
import { queueModes, saleKinds, saleStatuses } from './sale.ts'
import { hallDescription, plainText, slotsDescription } from './sale-layout-messages.ts'

const saleIdPattern = /^sal_[0-9a-z]{20}$/

/** Whether the text can be the id of a sale at all; what cannot needs no look into the database. */
export function isSaleId(text: string): boolean {
  return saleIdPattern.test(text)
}

const earliest = Date.UTC(2000, 0, 1)
const latest = Date.UTC(2200, 0, 1)

/** A moment as clients tell it. */
export const moment = z.iso
  .datetime({ offset: true })
  .refine((text) => {
    const ms = Date.parse(text)
    return ms >= earliest && ms < latest
  }, 'must lie between the years 2000 and 2200')
  .describe('ISO 8601 with offset.')

const ratePerMinute = z.int().min(1).max(6_000_000).describe('People let in within any minute, at most.')
const maxActive = z.int().min(1).max(1_000_000).describe('People who may buy at the same time, at most.')
const seconds = z.int().min(1).max(86_400)

const queueSettings = z.strictObject({
  mode: z
    .enum(queueModes)
    .default('fifo')
    .describe(
      '`fifo`: in the order of arrival. `lottery`: whoever entered before the opening, in an order drawn by lot.',
    ),
  ratePerMinute: ratePerMinute.default(600),
  maxActive: maxActive.default(200),
  tokenTtlSeconds: seconds.default(300).describe('How long one may buy after being let in.'),
  holdTtlSeconds: seconds.default(180).describe('How long a hold lasts.'),
  maxPerAccount: z.int().min(1).max(50).default(4).describe('Standing bookings of one account, at most.'),
  graceSeconds: z
    .int()
    .min(15)
    .max(3600)
    .default(90)
    .describe('How long one may be away at one’s turn, and once more after it, before the place is lost.'),
})

const singleSeats = z
  .enum(['allowed', 'refused'])
  .describe('Whether a hold may leave a single seat between taken ones.')

const onePerUnit = z.boolean()

const supportedCurrencies = new Set(Intl.supportedValuesOf('currency'))
const currency = z
  .string()
  .refine((code) => supportedCurrencies.has(code), 'must be a code of ISO 4217, such as KRW')

const opensBeforeItCloses = {
  test: (sale: { opensAt?: string | undefined; closesAt?: string | undefined }) =>
    sale.opensAt === undefined ||
    sale.closesAt === undefined ||
    Date.parse(sale.opensAt) < Date.parse(sale.closesAt),
  params: { path: ['closesAt'], message: 'must be later than opensAt' },
}

const newSaleBase = {
  title: plainText(200),
  store: z
    .string()
    .max(64)
    .optional()
    .describe('Id of one of your stores, `sto_…`: the sale is held there, and ends with it.'),
  currency,
  opensAt: moment,
  closesAt: moment,
  admits: z.enum(['guests', 'verified']).default('guests'),
  queue: queueSettings.prefault({}),
  payBySeconds: seconds
    .optional()
    .describe('How long an order waits for its payment; the server has a default.'),
}

/** Body of POST /sales. */
export const newSale = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('seats'),
      ...newSaleBase,
      singleSeats: singleSeats.default('allowed'),
      hall: hallDescription,
    }),
    z.strictObject({
      kind: z.literal('slots'),
      ...newSaleBase,
      onePerUnit: onePerUnit
        .optional()
        .describe(
          'Whether an account may have one booking of each slot only; where it is not told, that is so in a store.',
        ),
      slots: slotsDescription,
    }),
  ])
  .refine(opensBeforeItCloses.test, opensBeforeItCloses.params)
export type NewSale = z.infer<typeof newSale>

/** Body of PATCH /sales/{sale}; what is left out stays as it is. */
export const saleChanges = z
  .strictObject({
    title: plainText(200).optional(),
    status: z
      .enum(['open', 'paused', 'closed'])
      .optional()
      .describe('`paused` stops the admission, `open` resumes it, `closed` ends the sale for good.'),
    opensAt: moment.optional().describe('Only before the opening.'),
    closesAt: moment.optional().describe('Only before the opening.'),
    queue: z
      .strictObject({ ratePerMinute: ratePerMinute.optional(), maxActive: maxActive.optional() })
      .optional(),
    notice: z
      .union([plainText(500), z.literal('')])
      .optional()
      .describe('Told to everybody who waits, and to whoever comes; the empty text takes it back.'),
  })
  .refine((changes) => Object.keys(changes).length > 0, 'must change something')
  .refine(opensBeforeItCloses.test, opensBeforeItCloses.params)
export type SaleChanges = z.infer<typeof saleChanges>

/** A sale as everybody sees it. */
export const saleView = z
  .object({
    id: z.string(),
    store: z.string().nullable().describe('The store it is held in.'),
    kind: z.enum(saleKinds),
    title: z.string(),
    status: z.enum(saleStatuses),
    admits: z.enum(['guests', 'verified']),
    opensAt: moment,
    closesAt: moment,
    queue: z.object({
      mode: z.enum(queueModes),
      ratePerMinute: z.int(),
      maxActive: z.int(),
      tokenTtlSeconds: z.int(),
      holdTtlSeconds: z.int(),
      maxPerAccount: z.int(),
      graceSeconds: z.int(),
    }),
    singleSeats,
    onePerUnit: onePerUnit.describe('Whether an account may have one booking of each slot only.'),
    notice: z.object({ text: z.string(), at: moment }).nullable(),
    payBySeconds: z.int().describe('How long an order waits for its payment.'),
    currency: z.string(),
    unitCount: z.int().describe('Seats or slots.'),
    placeCount: z.int().describe('Places in all units together.'),
    createdAt: moment,
  })
  .meta({ id: 'Sale' })
export type SaleView = z.infer<typeof saleView>

/** Query of GET /sales. */
export const saleQuery = z.object({
  status: z.enum(saleStatuses).exclude(['draft']).optional(),
  kind: z.enum(saleKinds).optional(),
  q: plainText(100).optional().describe('Part of the title, in upper or lower case.'),
  cursor: z.string().max(200).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})
export type SaleQuery = z.infer<typeof saleQuery>

export const salePage = z.object({
  items: z.array(saleView),
  next: z.string().nullable().describe('Cursor of the next page; null on the last one.'),
})
export type SalePage = z.infer<typeof salePage>
