import t from 'tap'
import { makeSale } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { findSales } from './sale-listing.ts'
import { saleQuery } from './sale-messages.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 2, name: 'sale-listing' })
t.teardown(() => sql.end())

const hourMs = 3_600_000
const opening = (hours: number) => new Date(Date.UTC(2030, 0, 1) + hours * hourMs).toISOString()

t.before(async () => {
  const closesAt = opening(100)
  const hall = {
    priceClasses: [{ name: 'all', priceMinor: 1 }],
    sections: [{ code: 'A', rows: 1, seatsPerRow: 2, priceClass: 'all' }],
  }
  const titles = ['Alpha 50%', 'beta_one', 'Gamma\\', '가을 콘서트', 'Alphabet']
  // Two of them open at the same moment.
  const hours = [1, 2, 2, 3, 4]
  for (const [index, title] of titles.entries()) {
    const contents = index === 3 ? { hall } : {}
    await makeSale(sql, { changes: { title, opensAt: opening(hours[index] ?? 0), closesAt, ...contents } })
  }
  const draft = await makeSale(sql, { changes: { title: 'Alpha draft' } })
  await sql`update sales set status = 'draft' where id = ${draft.id}`
  await makeSale(sql, { changes: { title: 'Open now' } })
})

async function titlesFor(query: Record<string, string>): Promise<string[]> {
  return (await findSales(sql, saleQuery.parse(query))).sales.map(({ title }) => title)
}

t.test('lists what is shown, the one that opens last first, and no draft', async (t) => {
  const titles = await titlesFor({})
  t.equal(titles.length, 6)
  t.strictSame(titles.slice(0, 2), ['Alphabet', '가을 콘서트'])
  t.strictSame(titles.slice(4), ['Alpha 50%', 'Open now'])
})

t.test('goes through all pages without a gap and without showing one twice', async (t) => {
  const all = await titlesFor({})
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const query: Record<string, string> = cursor === null ? { limit: '1' } : { limit: '1', cursor }
    const page = await findSales(sql, saleQuery.parse(query))
    seen.push(...page.sales.map(({ title }) => title))
    cursor = page.next
  } while (cursor !== null)
  t.strictSame(seen, all)
})

t.test('finds by status, kind and part of the title, taking wildcards as they are', async (t) => {
  t.strictSame(await titlesFor({ status: 'open' }), ['Open now'])
  t.strictSame(await titlesFor({ kind: 'seats' }), ['가을 콘서트'])
  t.strictSame(await titlesFor({ q: 'ALPHA' }), ['Alphabet', 'Alpha 50%'])
  t.strictSame(await titlesFor({ q: '0%' }), ['Alpha 50%'])
  t.strictSame(await titlesFor({ q: '%' }), ['Alpha 50%'])
  t.strictSame(await titlesFor({ q: 'a_o' }), ['beta_one'])
  t.strictSame(await titlesFor({ q: '\\' }), ['Gamma\\'])
  t.strictSame(await titlesFor({ q: '콘서' }), ['가을 콘서트'])
  t.strictSame(await titlesFor({ q: "'; drop table sales --" }), [])
  t.strictSame(await titlesFor({ q: 'alpha', status: 'scheduled', kind: 'seats' }), [])
})

t.test('refuses a cursor that it did not give out', async (t) => {
  const made = (text: string) => Buffer.from(text).toString('base64url')
  const bad = [
    '',
    'x',
    '!!!',
    made('1:sal_x'),
    made('9999999999999999:sal_00000000000000000000'),
    made('a:b'),
    made('\u0000'),
  ]
  for (const cursor of bad) {
    await t.rejects(findSales(sql, { cursor, limit: 5 }), {
      code: 'invalid_request',
      options: { errors: [{ field: 'cursor' }] },
    })
  }
})
