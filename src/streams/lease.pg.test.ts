import { mock } from 'node:test'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { makeSale } from '../../test/support/sales.ts'
import { usePostgres } from '../../test/support/stores.ts'
import { until } from '../../test/support/until.ts'
import { beat, knownProcesses, sayGoodbye } from '../domain/processes/process-store.ts'
import { forsakenSales, type Writership } from '../domain/sale-state/sale-writer.ts'
import { Heartbeat } from './heartbeat.ts'
import { Leases } from './lease.ts'
import { unhurriedPostgres } from '../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 8, name: 'lease-test' })
t.teardown(() => sql.end())
const log = pino({ level: 'silent' })
t.beforeEach(async () => {
  await sql`update sales set status = 'closed'`
  await sql`update sale_writers set lease_owner = null, lease_until = null`
  await sql`delete from processes`
  mock.timers.enable({ apis: ['setInterval'] })
})
t.afterEach(() => mock.timers.reset())

/**
 * A process with the role `admission`; its rounds come only when the test asks for one, and as they may be long in coming,
 * the process lives, and its leases last, far longer than it takes.
 */
const processOf = async (t: Test, processId: string, lease: { leaseMs?: number } = { leaseMs: 600_000 }) => {
  await beat(sql, { id: processId, roles: ['admission'] })
  await sql`update processes set seen_at = now() + interval '1 hour' where id = ${processId}`
  const clock = new FakeClock()
  const redis = { isAway: false, asked: 0 }
  const mustReachRedis = async () => {
    redis.asked++
    if (redis.isAway) throw new Error('it does not answer')
  }
  const leases = new Leases({ sql, processId, clock, mustReachRedis, log, ...lease })
  const held = new Map<string, Writership>()
  const lost: string[] = []
  leases.changes$.subscribe(({ kind, writership }) => {
    if (kind === 'gained') held.set(writership.saleId, writership)
    else if (held.delete(writership.saleId)) lost.push(writership.saleId)
  })
  t.teardown(() => leases.stop())
  /** A round of half a second, begun when the one before has ended. */
  const look = async () => {
    const before = redis.asked
    leases.look()
    await until('it looks', () => redis.asked > before)
    await clock.advance(500)
  }
  return { processId, leases, held, lost, clock, redis, look }
}
const makeSales = async (count: number) => {
  const ids = []
  for (let index = 0; index < count; index++) ids.push((await makeSale(sql)).id)
  return ids
}
const owners = async () =>
  await sql<{ id: string; owner: string | null; fence: number }[]>`
    select sale_id as id, lease_owner as owner, fence from sale_writers
    join sales on sales.id = sale_id where status = 'open' order by sale_id`
const expireOf = (processId: string) =>
  sql`update sale_writers set lease_until = clock_timestamp() - interval '1 ms' where lease_owner = ${processId}`

t.test('two processes share the sales, each sale with one of them', async (t) => {
  await makeSales(7)
  const [a, b] = [await processOf(t, 'prc_a'), await processOf(t, 'prc_b')]
  a.leases.run()
  b.leases.run()
  await until('all have a writer', () => {
    for (const one of [a, b]) one.leases.look()
    return a.held.size + b.held.size === 7
  })
  t.ok(a.held.size <= 4 && b.held.size <= 4, `${a.held.size} and ${b.held.size}`)
  for (const { id, owner } of await owners()) t.equal(owner, a.held.has(id) ? 'prc_a' : 'prc_b')
})

t.test('a process that comes later is given its share', async (t) => {
  await makeSales(6)
  const a = await processOf(t, 'prc_a')
  a.leases.run()
  await until('it has all', () => a.held.size === 6)
  const b = await processOf(t, 'prc_b')
  b.leases.run()
  a.leases.look()
  await until('they share', () => {
    b.leases.look()
    return b.held.size === 3
  })
  t.equal(a.held.size, 3)
  t.equal(a.lost.length, 3)
})

t.test(
  'the sales of a process that fell silent are taken over when its leases end, under a higher fence',
  async (t) => {
    const sales = await makeSales(2)
    // With the lease of every day.
    const a = await processOf(t, 'prc_a', {})
    a.leases.run()
    await until('it has both', () => a.held.size === 2)
    const [left] = await sql<{ ms: number }[]>`
    select extract(epoch from max(lease_until) - clock_timestamp())::float8 * 1000 as ms from sale_writers`
    t.ok((left?.ms ?? Infinity) <= 3000, 'within three seconds')
    const fences = new Map([...a.held].map(([id, { fence }]) => [id, fence]))
    const b = await processOf(t, 'prc_b')
    await sql`update processes set seen_at = now() - interval '10 seconds' where id = 'prc_a'`
    b.leases.run()
    b.leases.look()
    t.equal(b.held.size, 0, 'not before')
    await expireOf('prc_a')
    await until('it has taken them over', () => {
      b.leases.look()
      return b.held.size === 2
    })
    for (const id of sales) t.equal(b.held.get(id)?.fence, (fences.get(id) ?? 0) + 1)
    // The silent one wakes up.
    a.leases.look()
    await until('it has noticed', () => a.held.size === 0)
    t.same(a.lost.toSorted(), sales.toSorted())
    t.equal(b.held.size, 2)
  },
)

t.test('a lease that is not prolonged is taken over when it ends, not with a round', async (t) => {
  await makeSales(1)
  const [a, b] = [await processOf(t, 'prc_a'), await processOf(t, 'prc_b')]
  a.leases.run()
  await until('the first has it', () => a.held.size === 1)
  await sql`update sale_writers set lease_until = clock_timestamp() + interval '300 ms' where lease_owner = 'prc_a'`
  // The one round there is.
  b.leases.run()
  await until('the second has it', async () => {
    await b.clock.advance(50)
    return b.held.size === 1
  })
})

t.test('a writer that fell silent has no share, though its process was heard of lately', async (t) => {
  await makeSales(4)
  const a = await processOf(t, 'prc_a')
  a.leases.run()
  await until('it has all', () => a.held.size === 4)
  await expireOf('prc_a')
  const b = await processOf(t, 'prc_b')
  b.leases.run()
  await until('the other has all', () => b.held.size === 4)
})

t.test('who does not reach Redis leaves its sales to those who do, and gets its share again', async (t) => {
  await makeSales(4)
  const [a, b] = [await processOf(t, 'prc_a'), await processOf(t, 'prc_b')]
  const looks = async () => {
    for (const { look } of [a, b]) await look()
  }
  a.leases.run()
  b.leases.run()
  const sizes = (one: number, other: number) =>
    until(`they have ${one} and ${other}`, async () => {
      await looks()
      return a.held.size === one && b.held.size === other
    })
  await sizes(2, 2)
  a.redis.isAway = true
  await sizes(0, 4)
  a.redis.isAway = false
  await sizes(2, 2)
})

t.test('where nobody reaches Redis everybody keeps its sales', async (t) => {
  await makeSales(4)
  const [a, b] = [await processOf(t, 'prc_a'), await processOf(t, 'prc_b')]
  a.leases.run()
  b.leases.run()
  const looks = async () => {
    for (const { look } of [a, b]) await look()
  }
  await until('they share', async () => (await looks(), a.held.size === 2 && b.held.size === 2))
  a.redis.isAway = b.redis.isAway = true
  const writers = async () =>
    (await knownProcesses(sql)).filter(({ roles }) => roles.includes('admission')).length
  await until('both say so', async () => (await looks(), (await writers()) === 0))
  const untilMs = a.clock.nowMs() + 10_000
  await until('long after', async () => (await looks(), a.clock.nowMs() > untilMs))
  t.same([a.lost, b.lost], [[], []])
  a.redis.isAway = b.redis.isAway = false
  await until('both may write', async () => (await looks(), (await writers()) === 2))
  t.same([a.held.size, b.held.size], [2, 2])
})

t.test('what is given up can be had at once', async (t) => {
  const [saleId = ''] = await makeSales(1)
  const [a, b] = [await processOf(t, 'prc_a'), await processOf(t, 'prc_b')]
  a.leases.run()
  await until('the first has it', () => a.held.size === 1)
  await a.leases.giveUp(saleId)
  t.same(a.lost, [saleId])
  b.leases.run()
  await until('the second has it', () => b.held.size === 1)
  await a.leases.giveUp(saleId)
  t.equal((await owners())[0]?.owner, 'prc_b', 'and cannot be given up by the first again')
})

t.test('a process that ends gives up all it has', async (t) => {
  await makeSales(3)
  const a = await processOf(t, 'prc_a')
  a.leases.run()
  await until('it has all', () => a.held.size === 3)
  await a.leases.stop()
  t.equal(a.held.size, 0)
  t.equal((await forsakenSales(sql, 10)).length, 3)
})

t.test('a lease is prolonged as long as its process lives', async (t) => {
  await makeSales(1)
  const a = await processOf(t, 'prc_a')
  a.leases.run()
  await until('it has it', () => a.held.size === 1)
  const end = async () => (await sql<{ at: Date }[]>`select max(lease_until) as at from sale_writers`)[0]?.at
  const before = await end()
  mock.timers.tick(500)
  await until('it is prolonged', async () => ((await end()) ?? 0) > (before ?? 0))
  t.equal((await owners())[0]?.fence, 1, 'under the same fence')
})

t.test('a lost fence is reported once, and only while it is the newest one here', async (t) => {
  const [saleId = ''] = await makeSales(1)
  const a = await processOf(t, 'prc_a')
  a.leases.run()
  await until('it has it', () => a.held.size === 1)
  const writership = a.held.get(saleId)
  if (!writership) throw new Error('it has it')
  a.leases.forget({ ...writership, fence: writership.fence - 1 })
  t.same(a.lost, [], "an older writership is nobody's loss")
  a.leases.forget(writership)
  a.leases.forget(writership)
  t.same(a.lost, [saleId])
})

t.test('a lease whose fence was refused is free at once where it is still its own', async (t) => {
  const [saleId = ''] = await makeSales(1)
  const [a, b] = [await processOf(t, 'prc_a'), await processOf(t, 'prc_b')]
  a.leases.run()
  await until('it has it', () => a.held.size === 1)
  const writership = a.held.get(saleId)
  if (!writership) throw new Error('it has it')
  await a.leases.letGo({ ...writership, fence: writership.fence - 1 })
  t.same(a.lost, [], "an older writership is nobody's loss")
  await a.leases.letGo(writership)
  t.same(a.lost, [saleId])
  b.leases.run()
  await until('the other has it', () => b.held.size === 1)
  await a.leases.letGo(writership)
  t.equal((await owners())[0]?.owner, 'prc_b')
})

t.test('a process says once a second that it lives, and goodbye at its end', async (t) => {
  const heartbeat = new Heartbeat({ sql, processId: 'prc_h', roles: ['edge', 'worker'], log })
  t.teardown(() => sayGoodbye(sql, 'prc_h'))
  const seenAt = async () => (await sql<{ at: Date }[]>`select seen_at as at from processes`)[0]?.at ?? 0
  /** However long it takes to ask who is alive, the beat before was no longer ago. */
  const seenLater = () => sql`update processes set seen_at = seen_at + interval '1 hour'`
  await heartbeat.run()
  await seenLater()
  t.match(await knownProcesses(sql), [{ id: 'prc_h', roles: ['edge', 'worker'], alive: true }])
  await sql`update processes set seen_at = now() - interval '4 seconds'`
  t.match(await knownProcesses(sql), [{ id: 'prc_h', alive: false }])
  const silent = await seenAt()
  mock.timers.tick(1000)
  await until('it is heard of again', async () => (await seenAt()) > silent)
  await seenLater()
  t.match(await knownProcesses(sql), [{ id: 'prc_h', alive: true }])
  await sql`update processes set seen_at = now() - interval '40 seconds'`
  t.same(await knownProcesses(sql), [], 'after half a minute nobody waits for it')
  await heartbeat.stop()
  t.equal((await sql`select 1 from processes`).length, 0)
})
