import { mock } from 'node:test'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { useHouse } from '../../test/support/house.ts'
import { makeSale } from '../../test/support/sales.ts'
import { at, makePeople, slots } from '../../test/support/shop.ts'
import { unhurriedSubscriber } from '../../test/support/unhurried.ts'
import { until } from '../../test/support/until.ts'
import { systemClock } from '../clock.ts'
import { beat } from '../domain/processes/process-store.ts'
import { saleChannels, saleKeys } from '../domain/sale-state/sale-keys.ts'
import { Admission } from './admission.ts'
import { Broker } from './broker.ts'
import { GateMetrics } from './gate-metrics.ts'

const house = await useHouse(t)
const { sql, queue, catalogue, redis, sync, log } = house
t.beforeEach(async () => {
  await sql`update sales set status = 'closed'`
  await sql`update sale_writers set lease_owner = null, lease_until = null`
  await sql`delete from processes`
  mock.timers.enable({ apis: ['setInterval'] })
})
t.afterEach(() => mock.timers.reset())

/** One tick of every gate, and one round of every lease, as their times would bring them. */
const pass = () => mock.timers.tick(500)

const processOf = async (t: Test, processId: string) => {
  await beat(sql, { id: processId, roles: ['admission'] })
  const state = await house.otherState()
  const subscriber = unhurriedSubscriber({ url: house.server.url, name: 'test', log })
  await subscriber.connect()
  const registry = new Registry()
  const metrics = new GateMetrics(registry)
  const swept: string[] = []
  const admission = new Admission({
    sql,
    state,
    catalogue,
    broker: new Broker({ subscriber, log }),
    processId,
    clock: systemClock,
    mustReachRedis: () => Promise.resolve(),
    log,
    tickMs: 100,
    restoreMs: 0,
    replay: (saleId, after) => sync.replay(saleId, after),
    announceEpoch: () => {},
    sweep: async ({ saleId }) => void swept.push(saleId),
    onReport: (saleId, report) => metrics.note(saleId, report),
  })
  t.teardown(async () => {
    await admission.stop()
    subscriber.disconnect()
  })
  await admission.run()
  return { admission, registry, swept }
}
const owner = async (saleId: string) =>
  (
    await sql<{ owner: string | null }[]>`
    select lease_owner as owner from sale_writers where sale_id = ${saleId}`
  )[0]?.owner
const isOwned = (saleId: string, by: string) =>
  until(`${by} writes to it`, async () => {
    pass()
    return (await owner(saleId)) === by && (await redis.hget(saleKeys(saleId).state, 'ready')) === '1'
  })
const openSale = () =>
  makeSale(sql, { changes: { ...slots(4), queue: { ratePerMinute: 60_000, maxActive: 3 } } })
const joinAll = async (saleId: string, accounts: readonly string[]) => {
  for (const account of accounts) {
    await until('the line is open', () =>
      queue.join(saleId, account).then(
        () => true,
        () => false,
      ),
    )
  }
}
const areIn = (saleId: string, accounts: readonly string[]) =>
  until(`${accounts.length} are in`, async () => {
    pass()
    const { places } = await queue.standing(saleId, accounts)
    return places.every((place) => place.state === 'admitted')
  })

t.test('a sale is opened by the process that gained it, and people are let in', async (t) => {
  const { registry, swept } = await processOf(t, 'prc_a')
  const sale = await openSale()
  await isOwned(sale.id, 'prc_a')
  const people = await makePeople(sql, 3)
  await joinAll(sale.id, people)
  await areIn(sale.id, people)
  t.ok(swept.includes(sale.id), 'holds are swept with it')
  const inside = `openrun_admissions_active{sale="${sale.id}"} 3`
  await until('the tick is over', async () => (await registry.metrics()).includes(inside))
  const text = await registry.metrics()
  t.match(text, `openrun_admitted_total{sale="${sale.id}"} 3`)
  t.match(text, `openrun_places_free{sale="${sale.id}"} 40`)
})

t.test('a place of the gate that becomes free wakes it at once, without a tick', async (t) => {
  await processOf(t, 'prc_a')
  const sale = await openSale()
  await isOwned(sale.id, 'prc_a')
  const people = await makePeople(sql, 4)
  await joinAll(sale.id, people)
  await areIn(sale.id, people.slice(0, 3))
  const [, listening] = await redis.pubsub('NUMSUB', saleChannels.wake(sale.id))
  t.equal(Number(listening), 1)
  await house.passMs(sale.id, 1000)
  await queue.leave(sale.id, at(people, 0))
  await until('the next one is in', async () => {
    const { places } = await queue.standing(sale.id, people.slice(3))
    return at(places, 0).state === 'admitted'
  })
  t.pass('while the clock stood still')
})

t.test('a line that is longer than one tick takes is let in without another tick', async (t) => {
  await processOf(t, 'prc_a')
  const queueWide = { ratePerMinute: 6_000_000, maxActive: 10_000 }
  const sale = await makeSale(sql, { changes: { ...slots(1, 10_000), queue: queueWide } })
  await isOwned(sale.id, 'prc_a')
  const people = await makePeople(sql, 2_300)
  await Promise.all(people.map((account) => queue.join(sale.id, account)))
  await until('all are in', async () => {
    const { waiting, places } = await queue.standing(sale.id, people.slice(-1))
    return waiting === 0 && at(places, 0).state === 'admitted'
  })
  t.pass('while the clock stood still')
})

t.test('a process that stops hands its sales over at once', async (t) => {
  const a = await processOf(t, 'prc_a')
  const sale = await openSale()
  await isOwned(sale.id, 'prc_a')
  await processOf(t, 'prc_b')
  await sql`delete from processes where id = 'prc_a'`
  await a.admission.stop()
  await isOwned(sale.id, 'prc_b')
  const people = await makePeople(sql, 2)
  await joinAll(sale.id, people)
  await areIn(sale.id, people)
})

t.test('a process whose fence is old lets go of the sale', async (t) => {
  await processOf(t, 'prc_a')
  const sale = await openSale()
  await isOwned(sale.id, 'prc_a')
  // Somebody else became the writer while this one was paused.
  const { gate } = await house.gate(sale.id)
  const people = await makePeople(sql, 2)
  await joinAll(sale.id, people)
  for (let times = 0; times < 5; times++) {
    pass()
    await queue.standing(sale.id, people)
  }
  t.equal(await owner(sale.id), 'prc_test')
  t.same(
    (await queue.standing(sale.id, people)).places.map((place) => place.state),
    ['waiting', 'waiting'],
    'the old one lets nobody in',
  )
  await house.passMs(sale.id, 1000)
  t.equal((await gate.tick())?.told, 2)
})

t.test('a sale that is over is put away and its lease given up', async (t) => {
  const { registry } = await processOf(t, 'prc_a')
  const sale = await openSale()
  await isOwned(sale.id, 'prc_a')
  await sql`update sales set status = 'closed', version = version + 1 where id = ${sale.id}`
  catalogue.forget(sale.id)
  await until('it is given up', async () => {
    pass()
    return (await owner(sale.id)) === null
  })
  t.equal(await redis.exists(saleKeys(sale.id).queue), 0)
  t.ok((await redis.ttl(saleKeys(sale.id).state)) > 0, 'what is left fades')
  t.notMatch(await registry.metrics(), `openrun_waiting{sale="${sale.id}"}`)
})

t.test('a gate whose Redis is lost goes on by itself', async (t) => {
  await processOf(t, 'prc_a')
  const sale = await openSale()
  await isOwned(sale.id, 'prc_a')
  await redis.flushall()
  const people = await makePeople(sql, 2)
  await until('it is rebuilt', async () => {
    pass()
    return (await redis.hget(saleKeys(sale.id).state, 'ready')) === '1'
  })
  await joinAll(sale.id, people)
  await house.passMs(sale.id, 1000)
  await areIn(sale.id, people)
  t.pass('and lets people in')
})
