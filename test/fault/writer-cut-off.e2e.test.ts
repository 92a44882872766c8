import t from 'tap'
import { freeSlots } from '../support/calls.ts'
import { useCuttableProxy } from '../support/cuttable-proxy.ts'
import { admissionsOf, lineUp, useFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

t.test('a writer that reaches PostgreSQL and not Redis leaves its sale to one that does', async (t) => {
  const fleet = await useFleet(t)
  const way = await useCuttableProxy(t, fleet.redisServer.url)
  const back = { OPENRUN_ROLES: 'edge,admission' }
  const edge = await fleet.start({ OPENRUN_ROLES: 'edge,payments,worker' })
  await fleet.start({ ...back, REDIS_URL: way.url })
  const saleId = await edge.sale({ ...freeSlots(1, 100), queue: { ratePerMinute: 60, maxActive: 100 } })
  await until('it lets people in', async () => {
    await lineUp(saleId, 1, [edge])
    return (await admissionsOf(fleet.sql, saleId)).length > 0
  })
  const owner = async () => {
    const [row] = await fleet.sql<{ owner: string; held: boolean }[]>`
      select lease_owner as owner, lease_until > clock_timestamp() as held from sale_writers where sale_id = ${saleId}`
    return row?.held === true ? row.owner : undefined
  }
  const before = await owner()
  await fleet.start(back)
  way.cut()
  await until('another one writes', async () => ![undefined, before].includes(await owner()))
  const admitted = (await admissionsOf(fleet.sql, saleId)).length
  await lineUp(saleId, 3, [edge])
  const goesOn = async () => (await admissionsOf(fleet.sql, saleId)).length > admitted
  await until('it lets people in', goesOn)
  way.open()
  await until('the first one may write again', async () => {
    const rows = await fleet.sql`
        select from processes where 'admission' = any(roles) and seen_at > clock_timestamp() - interval '3 seconds'`
    return rows.length === 2
  })
})
