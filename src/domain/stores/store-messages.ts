import { z } from 'zod'
import { hour, plainText } from '../sales/sale-layout-messages.ts'
import { moment } from '../sales/sale-messages.ts'

const storeIdPattern = /^sto_[0-9a-z]{20}$/

/** Whether the text can be the id of a store at all; what cannot needs no look into the database. */
export function isStoreId(text: string): boolean {
  return storeIdPattern.test(text)
}

export const storeCategories = [
  'fashion',
  'beauty',
  'food',
  'character',
  'art',
  'music',
  'sports',
  'tech',
  'living',
  'other',
] as const
export type StoreCategory = (typeof storeCategories)[number]

const storeStatuses = ['open', 'closed'] as const
export type StoreStatus = (typeof storeStatuses)[number]

/** Farther than this nobody looks for a store, and what is looked through stays bounded. */
const withinMetresMax = 100_000

/** Text of several lines: no other control characters, and no half surrogates, which PostgreSQL would refuse. */
const markdown = z
  .string()
  .max(20_000)
  .regex(/^(?:[^\p{Cc}\p{Cs}]|[\n\r\t])*$/u, 'must not hold control characters')
  .describe('Markdown.')

const latitude = z.number().min(-90).max(90).describe('Degrees north.')
const longitude = z.number().min(-180).max(180).describe('Degrees east.')
const maxPerAccount = z
  .int()
  .min(1)
  .max(50)
  .describe('Standing bookings of one account in all sales of the store together, at most.')

const openingHours = z
  .array(
    z
      .strictObject({
        days: z
          .array(z.int().min(1).max(7))
          .min(1)
          .max(7)
          .refine((days) => new Set(days).size === days.length, 'must name each day once')
          .describe('1 is Monday, 7 is Sunday.'),
        from: hour,
        to: hour.describe('Earlier than `from`: of the next day.'),
      })
      .refine(({ from, to }) => from !== to, { path: ['to'], message: 'must differ from `from`' }),
  )
  .max(14)
  .describe('In the local time of the place; empty where nothing is said about them.')

const links = z
  .array(
    z.strictObject({
      label: plainText(60),
      url: z.url({ protocol: /^https$/, error: 'must be an address that begins with https://' }).max(500),
    }),
  )
  .max(10)

const storeFields = {
  name: plainText(100),
  description: markdown,
  category: z.enum(storeCategories),
  address: plainText(200),
  latitude,
  longitude,
  opensAt: moment,
  closesAt: moment,
  openingHours,
  links,
}

const opensBeforeItCloses = {
  test: (store: { opensAt?: string | undefined; closesAt?: string | undefined }) =>
    store.opensAt === undefined ||
    store.closesAt === undefined ||
    Date.parse(store.opensAt) < Date.parse(store.closesAt),
  params: { path: ['closesAt'], message: 'must be later than opensAt' },
}

/** Body of POST /stores. */
export const newStore = z
  .strictObject({
    ...storeFields,
    description: markdown.default(''),
    openingHours: openingHours.default([]),
    links: links.default([]),
    maxPerAccount: maxPerAccount.optional(),
  })
  .refine(opensBeforeItCloses.test, opensBeforeItCloses.params)
export type NewStore = z.infer<typeof newStore>

/** Body of PATCH /stores/{store}; what is left out stays as it is. */
export const storeChanges = z
  .strictObject({
    ...storeFields,
    maxPerAccount: maxPerAccount.nullable().describe('Null takes the limit away.'),
    status: z.literal('closed').describe('Ends the store, its sales and its room for good.'),
  })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'must change something')
  .refine(opensBeforeItCloses.test, opensBeforeItCloses.params)
export type StoreChanges = z.infer<typeof storeChanges>

/** A picture of a store in both of its sizes. */
export const storePicture = z
  .object({
    id: z.string(),
    alt: z.string().describe('What is to be seen, for whoever cannot see it.'),
    width: z.int().describe('Of the large one, in pixels.'),
    height: z.int(),
    urls: z.object({ large: z.string(), small: z.string() }).describe('Paths on this server.'),
  })
  .meta({ id: 'StorePicture' })
export type StorePicture = z.infer<typeof storePicture>

const shown = {
  id: z.string(),
  name: z.string(),
  category: z.enum(storeCategories),
  address: z.string(),
  latitude,
  longitude,
  opensAt: moment,
  closesAt: moment,
  openingHours: z.array(z.object({ days: z.array(z.int()), from: z.string(), to: z.string() })),
  links: z.array(z.object({ label: z.string(), url: z.string() })),
  maxPerAccount: maxPerAccount.nullable(),
  popularity: z.int().describe('Standing bookings in all its sales, as they were counted last.'),
  status: z.enum(storeStatuses),
  pictures: z.array(storePicture).describe('In the order in which they are shown.'),
  createdAt: moment,
}

/** A store as everybody sees it. */
export const storeView = z
  .object({
    ...shown,
    description: z.string().describe('Markdown, as the organiser wrote it.'),
    descriptionHtml: z
      .string()
      .describe('The same as HTML that is safe to show: no scripts, styles, pictures or forms.'),
  })
  .meta({ id: 'Store' })
export type StoreView = z.infer<typeof storeView>

/** A store in a list. */
export const storeItem = z
  .object({
    ...shown,
    distanceMetres: z.int().optional().describe('From `near`, where that was asked for.'),
  })
  .meta({ id: 'StoreItem' })
export type StoreItem = z.infer<typeof storeItem>

const near = z
  .string()
  .regex(/^-?\d{1,2}(\.\d{1,15})?,-?\d{1,3}(\.\d{1,15})?$/, 'must be `latitude,longitude`')
  .refine((text) => {
    const [north = 0, east = 0] = text.split(',').map(Number)
    return Math.abs(north) <= 90 && Math.abs(east) <= 180
  }, 'must lie on the earth')

/** Query of GET /stores. */
export const storeQuery = z
  .object({
    q: plainText(100)
      .optional()
      .describe(
        'Part of the name, in upper or lower case, with or without spaces; Korean names also by their initial consonants, such as `ㅅㅅㅁ`.',
      ),
    from: moment.optional().describe('Not over before this.'),
    to: moment.optional().describe('Opened by this.'),
    category: z.enum(storeCategories).optional(),
    place: plainText(100)
      .optional()
      .describe('Part of the address, in upper or lower case, with or without spaces.'),
    near: near.optional().describe('`latitude,longitude`; each store then says how far away it is.'),
    within: z.coerce
      .number()
      .int()
      .min(1)
      .max(withinMetresMax)
      .optional()
      .describe('Metres from `near`, at most.'),
    status: z.enum(storeStatuses).default('open'),
    sort: z
      .enum(['opening', 'popularity', 'distance'])
      .default('opening')
      .describe('`opening`: the one that opens last first. `distance` needs `near` and `within`.'),
    cursor: z.string().max(200).optional().describe('`next` of the page before.'),
    limit: z.coerce.number().int().min(1).max(100).default(20),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || Date.parse(from) <= Date.parse(to), {
    path: ['to'],
    message: 'must not be earlier than from',
  })
  .refine(({ near, within }) => within === undefined || near !== undefined, {
    path: ['near'],
    message: 'must be told with within',
  })
  .refine(({ near, within, sort }) => sort !== 'distance' || (near !== undefined && within !== undefined), {
    path: ['sort'],
    message: 'must be told with near and within to be `distance`',
  })
export type StoreQuery = z.infer<typeof storeQuery>

/** Query of GET /organiser/stores. */
export const ownStoreQuery = z.object({
  cursor: z.string().max(200).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})

export const storePage = z.object({
  items: z.array(storeItem),
  next: z.string().nullable().describe('Cursor of the next page; null on the last one.'),
})
export type StorePage = z.infer<typeof storePage>
