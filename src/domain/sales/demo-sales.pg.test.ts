import t from 'tap'
import { systemClock } from '../../clock.ts'
import { connectPostgres } from '../../db/postgres.ts'
import { makeOrganiser } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { createDemoSales } from './demo-sales.ts'
import { findSales } from './sale-listing.ts'

const { postgresUrl } = await usePostgres(t)
const sql = connectPostgres({ url: postgresUrl, connections: 4, name: 'demo-sales' })
t.teardown(() => sql.end())

t.test('gives an empty server two sales, once, however many processes start', async (t) => {
  const organiserId = await makeOrganiser(sql)
  const deps = { sql, clock: systemClock, payBySecondsDefault: 300, announce: () => {} }
  await Promise.all([1, 2, 3].map(() => createDemoSales(deps, { organiserId })))
  t.strictSame(await createDemoSales(deps, { organiserId }), [])
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
})
