import t, { type Test } from 'tap'
import { leaseMs } from '../../src/streams/lease.ts'
import type { Buyer } from '../support/buyer.ts'
import { freeSlots } from '../support/calls.ts'
import { api, textAt } from '../support/contract.ts'
import { admissionsOf, lineUp, mostOpen, mostWithin, useFleet, type Fleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

interface Lease {
  readonly fence: number
  /** By PostgreSQL's clock. */
  readonly untilMs: number
  readonly leftMs: number
}

async function leaseOf({ sql }: Fleet, saleId: string): Promise<Lease> {
  const [row] = await sql<{ fence: number; until: Date; now: Date }[]>`
    select fence::int, lease_until as until, clock_timestamp() as now from sale_writers where sale_id = ${saleId}`
  if (row === undefined) throw new Error('the sale has no writer')
  const untilMs = row.until.getTime()
  return { fence: row.fence, untilMs, leftMs: untilMs - row.now.getTime() }
}

const withinMs = 4000
/** A machine that is busy with other things only adds to the pause, so the shortest of some rounds counts. */
const roundsMax = 5

t.test('the writer of a sale is killed: admission goes on within 4 s, in the old order', async (t) => {
  let pauseMs = Infinity
  for (let round = 0; round < roundsMax && pauseMs >= withinMs - leaseMs; round++)
    pauseMs = await pauseAfterKill(t)
  t.ok(pauseMs < withinMs - leaseMs, `somebody was let in ${pauseMs} ms after the end of the lease`)
})

/** From the end of a killed writer's lease until somebody is let in; Infinity where that was not seen. */
async function pauseAfterKill(t: Test): Promise<number> {
  const fleet = await useFleet(t)
  const writer = await fleet.start()
  const saleId = await writer.sale({ ...freeSlots(1, 100), queue: { ratePerMinute: 300, maxActive: 100 } })
  const survivor = await fleet.start()
  await writer.change(saleId, { status: 'paused' })
  const buyers = await lineUp(saleId, 40, [writer, survivor])
  const streams = await Promise.all(buyers.map((buyer) => buyer.stream(saleId)))
  await writer.change(saleId, { status: 'open' })
  await streams[4]?.events.next('admitted')

  const { fence } = await leaseOf(fleet, saleId)
  await writer.process.kill()
  const lease = await leaseOf(fleet, saleId)
  t.ok(lease.leftMs <= leaseMs, `the lease lasts for ${lease.leftMs} ms more`)
  const seen = await Promise.all(
    buyers.map(async (buyer, index) => {
      const isCut = buyer.calls === writer
      const stream = isCut ? await buyer.at(survivor).stream(saleId) : streams[index]
      return textAt((await stream?.events.next('admitted'))?.data, 'purchaseToken')
    }),
  )
  t.equal(new Set(seen).size, 40, 'everybody was told of a token')
  const rows = await admissionsOf(fleet.sql, saleId)
  t.same(
    rows.map((row) => row.account),
    buyers.map((buyer) => buyer.id),
    'nobody overtook and nobody was let in twice',
  )
  const next = rows.find(({ admittedMs }) => admittedMs > lease.untilMs)
  const wasTakenOver = lease.fence !== fence
  return next === undefined || wasTakenOver ? Infinity : next.admittedMs - lease.untilMs
}

t.test('a writer that slept past its lease finds that it is none, and the gate holds', async (t) => {
  const fleet = await useFleet(t)
  const sleeper = await fleet.start()
  const crowded = await sleeper.sale({ ...freeSlots(1, 100), queue: { maxActive: 3 } })
  const slow = await sleeper.sale({ ...freeSlots(1, 100), queue: { ratePerMinute: 60, maxActive: 100 } })
  const awake = await fleet.start()
  const writers = async (): Promise<{ fences: number; count: number }> => {
    const [row] = await fleet.sql<{ fences: number; count: number }[]>`
      select sum(fence)::int as fences,
        (count(distinct lease_owner) filter (where lease_until > clock_timestamp()))::int as count
      from sale_writers`
    return row ?? { fences: 0, count: 0 }
  }
  const buyers = await lineUp(crowded, 12, [awake])
  await lineUp(slow, 30, [awake])
  const streams = await Promise.all(buyers.map((buyer) => buyer.stream(crowded)))
  await streams[2]?.events.next('admitted')
  const leave = async (index: number) => {
    const left = () => buyers[index]?.call('DELETE', `${api}/sales/${crowded}/queue/me`)
    await until('it left', async () => (await left())?.status === 204)
  }

  let before = await writers()
  await until('each writes to a sale', async () => (before = await writers()).count === 2)
  sleeper.process.signal('SIGSTOP')
  for (const index of [0, 1, 2]) await leave(index)
  await streams[5]?.events.next('admitted')
  const isTakenOver = async () => (await writers()).fences > before.fences
  await until('another process writes with a newer fence', isTakenOver)
  sleeper.process.signal('SIGCONT')
  for (const index of [3, 4, 5]) await leave(index)
  await streams[8]?.events.next('admitted')
  for (const index of [6, 7, 8]) await leave(index)
  await streams[11]?.events.next('admitted')
  t.equal((await sleeper.call('GET', '/healthz')).status, 200)

  const rows = await admissionsOf(fleet.sql, crowded)
  t.equal(mostOpen(rows), 3, 'never more inside than allowed')
  t.same(
    rows.map((row) => row.account),
    buyers.map((buyer) => buyer.id),
  )
  await until('the slow sale went on', async () => (await admissionsOf(fleet.sql, slow)).length > 5)
  const paced = await admissionsOf(fleet.sql, slow)
  t.ok(mostWithin(paced, 60_000) <= 60)
  t.ok(mostWithin(paced, 3000) <= 4, 'the pace is that of one gate, not of two')
})

t.test(
  'a writer slept while Redis forgot everything: it does not build the sale a second time',
  async (t) => {
    const fleet = await useFleet(t)
    const env = { OPENRUN_RESTORE_SECONDS: '1' }
    const sleeper = await fleet.start(env)
    const saleId = await sleeper.sale({ ...freeSlots(1, 100), queue: { maxActive: 3 } })
    const awake = await fleet.start(env)
    const buyers = await lineUp(saleId, 9, [awake])
    const streams = await Promise.all(buyers.map((buyer) => buyer.stream(saleId)))
    await streams[2]?.events.next('admitted')
    const epoch = async (): Promise<unknown> => {
      const [row] = await fleet.sql`select epoch::int as epoch from sale_writers where sale_id = ${saleId}`
      return row?.['epoch']
    }

    sleeper.process.signal('SIGSTOP')
    await fleet.redis.flushall()
    await until('the other one has built it anew', async () => (await epoch()) === 2)
    sleeper.process.signal('SIGCONT')
    const leave = async (buyer: Buyer) => {
      const path = `${api}/sales/${saleId}/queue/me`
      await until('it left', async () => (await buyer.call('DELETE', path)).status === 204)
    }
    for (const [index, buyer] of buyers.slice(0, 6).entries()) {
      await leave(buyer)
      await streams[index + 3]?.events.next('admitted')
    }
    t.equal((await sleeper.call('GET', '/healthz')).status, 200)
    t.equal(await epoch(), 2)
    const rows = await admissionsOf(fleet.sql, saleId)
    t.equal(mostOpen(rows), 3)
    t.same(
      rows.map((row) => row.account),
      buyers.map((buyer) => buyer.id),
    )
  },
)
