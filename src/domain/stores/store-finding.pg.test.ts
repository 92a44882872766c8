import fc from 'fast-check'
import t, { type Test } from 'tap'
import { makeOrganiser } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { transaction } from '../../db/transaction.ts'
import { randomIds } from '../../ids.ts'
import type { Store } from './store.ts'
import { findStores } from './store-finding.ts'
import { storeCategories, storeQuery, type StoreItem } from './store-messages.ts'
import { insertStore } from './store-rows.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 4, name: 'store-finding', searches: true })
t.teardown(() => sql.end())

const dayMs = 86_400_000
const firstDayMs = Date.UTC(2030, 0, 1)
const organiserId = await makeOrganiser(sql)

const names = [
  '성수 문구점',
  '서울숲 Market',
  'MARKET 성수',
  '을지로 100%',
  'a_b',
  'a\\b',
  'ㅋㅋ 다방',
  'Éclair 빵집',
  '문',
]
const addresses = ['서울 성동구 연무장길 1', '서울 중구 을지로 12', 'Jeju-do 3', '부산 해운대구 50%']
const places = [
  { latitude: 37.5445, longitude: 127.056 },
  { latitude: 37.54, longitude: 127.06 },
  { latitude: 33.5, longitude: 126.5 },
  { latitude: -16.5, longitude: 179.999 },
  { latitude: -16.5, longitude: -179.999 },
  { latitude: 89.999, longitude: 10 },
  { latitude: 89.999, longitude: -170 },
]

const someStore = fc
  .record({
    name: fc.constantFrom(...names),
    address: fc.constantFrom(...addresses),
    category: fc.constantFrom(...storeCategories.slice(0, 3)),
    place: fc.constantFrom(...places),
    north: fc.integer({ min: -40, max: 40 }),
    east: fc.integer({ min: -40, max: 40 }),
    opens: fc.integer({ min: 0, max: 9 }),
    days: fc.integer({ min: 1, max: 9 }),
    popularity: fc.integer({ min: 0, max: 4 }),
    status: fc.constantFrom('open' as const, 'open' as const, 'closed' as const),
  })
  .map(({ place, north, east, opens, days, ...rest }): Store => {
    const opensAtMs = firstDayMs + opens * dayMs
    return {
      ...rest,
      id: randomIds.next('sto'),
      organiserId,
      description: '',
      latitude: Math.min(90, place.latitude + north / 10_000),
      longitude: Math.max(-180, Math.min(180, place.longitude + east / 10_000)),
      opensAtMs,
      closesAtMs: opensAtMs + days * dayMs,
      openingHours: [],
      links: [],
      maxPerAccount: null,
      createdAtMs: firstDayMs,
    }
  })

const rarely = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 })
const day = fc.integer({ min: -1, max: 19 })
const part = fc.constantFrom(
  '성',
  '성수',
  'ㅅㅅ',
  'ㅅㅅㅁ',
  'ㅅ',
  '수문',
  '수 문',
  'MaR',
  'm a r',
  '0%',
  '%',
  '_',
  '\\',
  'ㅋㅋ',
  'é',
  '없음',
  'ㅁㅁㅁㅁ',
)

const someQuery = fc
  .record({
    q: rarely(part),
    place: rarely(fc.constantFrom('서울', '성동구연무', 'JEJU', '0%', '12', '없음')),
    category: rarely(fc.constantFrom(...storeCategories.slice(0, 3))),
    from: rarely(day),
    to: rarely(day),
    near: fc.option(fc.constantFrom(...places), { nil: undefined, freq: 4 }),
    within: rarely(fc.constantFrom(1, 500, 5_000, 100_000)),
    status: fc.constantFrom('open', 'open', 'closed'),
    sort: fc.constantFrom('opening', 'popularity', 'distance'),
    limit: fc.integer({ min: 1, max: 7 }),
  })
  .map(({ from, to, near, ...rest }) => ({
    ...rest,
    from: from === undefined ? undefined : new Date(firstDayMs + from * dayMs).toISOString(),
    to: to === undefined ? undefined : new Date(firstDayMs + to * dayMs).toISOString(),
    near: near === undefined ? undefined : `${near.latitude},${near.longitude}`,
  }))
  .map((query) => storeQuery.safeParse(query).data)
  .filter((query) => query !== undefined)

type Query = NonNullable<ReturnType<typeof storeQuery.safeParse>['data']>

const stores = fc.sample(someStore, 250)

t.before(async () => {
  await transaction(sql, async (tx) => {
    for (const store of stores) await insertStore(tx, store)
    for (const { id, popularity } of stores)
      await tx`update stores set popularity = ${popularity} where id = ${id}`
  })
  await sql`analyze stores`
})

t.test('finds what a plain filter finds, in its order, nothing twice and nothing missed', async (t) => {
  let found = 0
  const property = fc.asyncProperty(someQuery, async (query) => {
    found += await mustFindWhatIsThere(t, query)
  })
  await fc.assert(property, { numRuns: 300 })
  t.ok(found > 1_000, 'and that is not nothing')
})

t.test('finds the same where an area is crowded with others', async (t) => {
  const [one] = fc.sample(someStore, 1)
  const [place] = places
  if (one === undefined || place === undefined) throw new Error('there is no store')
  const other: Store = { ...one, ...place, category: 'other', status: 'open' }
  await transaction(sql, (tx) => insertStore(tx, other))
  await sql`
    insert into stores (id, organiser_id, name, name_grams, name_folded, name_initials, description, category, address,
      latitude, longitude, opens_at, closes_at, opening_hours, links)
    select 'sto_' || lpad(n::text, 20, '0'), organiser_id, name, name_grams, name_folded, name_initials, description,
      category, address, latitude, longitude, opens_at, closes_at, opening_hours, links
    from stores, generate_series(1, 4000) as n where id = ${other.id}`
  const notThese = someQuery.filter(({ category }) => category !== undefined)
  const property = fc.asyncProperty(notThese, async (query) => void (await mustFindWhatIsThere(t, query)))
  await fc.assert(property, { numRuns: 150 })
})

async function mustFindWhatIsThere(t: Test, query: Query): Promise<number> {
  const expected = plainly(stores, query)
  const items = await allPages(query)
  t.strictSame(
    items.map(({ id, distanceMetres }) => ({ id, distanceMetres })),
    expected,
    JSON.stringify(query),
  )
  return expected.length
}

async function allPages(query: Query): Promise<StoreItem[]> {
  const items: StoreItem[] = []
  let cursor: string | null = null
  do {
    const page = await findStores(sql, { ...query, ...(cursor === null ? {} : { cursor }) })
    items.push(...page.items)
    cursor = page.next
  } while (cursor !== null)
  return items
}

/** The rules once more, without any index. */
function plainly(stores: readonly Store[], query: Query) {
  const { q, place, category, from, to, near, within, status, sort } = query
  const [latitude = 0, longitude = 0] = near?.split(',').map(Number) ?? []
  const distanceTo = (store: Store) =>
    near === undefined ? undefined : metresBetween({ latitude, longitude }, store)
  return stores
    .filter((store) => store.status === status)
    .filter((store) => category === undefined || store.category === category)
    .filter((store) => q === undefined || nameHolds(store.name, plain(q)))
    .filter((store) => place === undefined || plain(store.address).includes(plain(place)))
    .filter((store) => from === undefined || store.closesAtMs > Date.parse(from))
    .filter((store) => to === undefined || store.opensAtMs <= Date.parse(to))
    .map((store) => ({ ...store, distanceMetres: distanceTo(store) }))
    .filter(({ distanceMetres = 0 }) => within === undefined || distanceMetres <= within)
    .toSorted((a, b) => {
      if (sort === 'distance')
        return (a.distanceMetres ?? 0) - (b.distanceMetres ?? 0) || (a.id < b.id ? -1 : 1)
      const higher = sort === 'opening' ? b.opensAtMs - a.opensAtMs : b.popularity - a.popularity
      return higher || (a.id < b.id ? 1 : -1)
    })
    .map(({ id, distanceMetres }) => ({ id, distanceMetres }))
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(' ', '')
}

const initials = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ'

function nameHolds(name: string, wanted: string): boolean {
  const only = Array.from(plain(name)).map((letter) => {
    if (initials.includes(letter)) return letter
    const nth = letter.charCodeAt(0) - 0xac00
    return nth >= 0 && nth < 11_172 ? initials.charAt(Math.floor(nth / 588)) : ''
  })
  return plain(name).includes(wanted) || only.join('').includes(wanted)
}

interface Spot {
  readonly latitude: number
  readonly longitude: number
}

/** By the angle between two vectors, which is another formula than the one in use. */
function metresBetween(one: Spot, other: Spot): number {
  const [a, b] = [one, other].map(({ latitude, longitude }) => {
    const [north, east] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180]
    return [Math.cos(north) * Math.cos(east), Math.cos(north) * Math.sin(east), Math.sin(north)] as const
  }) as [readonly [number, number, number], readonly [number, number, number]]
  const cross = Math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
  const dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
  return Math.round(6_371_007.2 * Math.atan2(cross, dot))
}

t.test('refuses what makes no sense, and says which field', async (t) => {
  const wrong: readonly [string, Record<string, string>][] = [
    ['to', { from: '2030-02-01T00:00:00Z', to: '2030-01-01T00:00:00Z' }],
    ['near', { within: '100' }],
    ['near', { near: '91,0', within: '100' }],
    ['near', { near: '37.5 127' }],
    ['near', { near: 'NaN,0' }],
    ['within', { near: '37,127', within: '100001' }],
    ['within', { near: '37,127', within: '0' }],
    ['sort', { sort: 'distance' }],
    ['sort', { sort: 'distance', near: '37,127' }],
    ['sort', { sort: 'name' }],
    ['category', { category: 'cars' }],
    ['q', { q: '' }],
    ['status', { status: 'draft' }],
    ['limit', { limit: '101' }],
    ['from', { from: 'tomorrow' }],
  ]
  for (const [field, query] of wrong) {
    t.match(storeQuery.safeParse(query).error?.issues, [{ path: [field] }], JSON.stringify(query))
  }
  await t.rejects(findStores(sql, storeQuery.parse({ cursor: 'x' })), {
    code: 'invalid_request',
    options: { errors: [{ field: 'cursor' }] },
  })
})
