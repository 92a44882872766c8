import t from 'tap'
import { systemClock } from '../clock.ts'
import { makeOrganiser } from '../../test/support/sales.ts'
import { usePostgres } from '../../test/support/stores.ts'
import { unhurriedPostgres } from '../../test/support/unhurried.ts'
import { createDemo } from './demo.ts'
import { findSales } from './sales/sale-listing.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 4, name: 'demo' })
t.teardown(() => sql.end())

t.test('gives an empty server two sales and thirty stores, once, however many processes start', async (t) => {
  const organiserId = await makeOrganiser(sql)
  const deps = { sql, clock: systemClock, payBySecondsDefault: 300, announce: () => {} }
  await Promise.all([1, 2, 3].map(() => createDemo(deps, { organiserId })))
  t.strictSame(await createDemo(deps, { organiserId }), [])
  const { sales } = await findSales(sql, { limit: 10 })
  t.strictSame(
    sales
      .map(({ kind, status, unitCount, placeCount }) => ({ kind, status, unitCount, placeCount }))
      .toSorted((a, b) => (a.kind < b.kind ? -1 : 1)),
    [
      { kind: 'seats', status: 'open', unitCount: 2_400, placeCount: 2_400 },
      { kind: 'slots', status: 'open', unitCount: 56, placeCount: 560 },
    ],
  )
  const [count] = await sql<{ stores: number; open: number }[]>`
    select count(*)::int as stores, count(*) filter (where opens_at <= now())::int as open from stores`
  t.strictSame(count, { stores: 30, open: 25 })
  const [slots] = await sql`select stores.name from sales join stores on stores.id = store_id`
  t.match(slots, { name: /Moonrabbit/ }, 'where the places are')
})
