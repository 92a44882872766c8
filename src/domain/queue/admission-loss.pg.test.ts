import t from 'tap'
import { useHouse, type House } from '../../../test/support/house.ts'
import { makeSale } from '../../../test/support/sales.ts'
import { at, makePeople, mustHold, openShop, slots } from '../../../test/support/shop.ts'
import { useOwnRedis } from '../../../test/support/stores.ts'
import { unhurriedClock, unhurriedRedis } from '../../../test/support/unhurried.ts'
import { until } from '../../../test/support/until.ts'
import { OneRedis } from '../../db/one-redis.ts'
import { beat, sayGoodbye } from '../processes/process-store.ts'
import { saleKeys } from '../sale-state/sale-keys.ts'
import { SaleState } from '../sale-state/sale-state.ts'
import { HoldStore } from '../units/hold-store.ts'
import { UnitSync } from '../units/unit-sync.ts'
import { AdmissionGate } from './admission-gate.ts'
import { recordAdmissions } from './admission-store.ts'
import { AdmissionTicks } from './admission-ticks.ts'
import { QueueStore } from './queue-store.ts'

const house = await useHouse(t)
const { sql } = house
const pace = { ratePerMinute: 600, maxActive: 1000 }
const join = async (of: Pick<House, 'queue'>, saleId: string, accounts: readonly string[]) => {
  for (const account of accounts) await of.queue.join(saleId, account)
}
const admitted = async (saleId: string) => {
  const rows = await sql<{ account_id: string }[]>`
    select account_id from admissions where sale_id = ${saleId} order by sequence`
  return rows.map((row) => row.account_id)
}
/** Puts the clock of a sale that Redis has forgotten where it was. */
const flush = async (saleId: string) => {
  const offsetMs = Number(await house.redis.hget(saleKeys(saleId).state, 'offset_ms'))
  await house.redis.flushall()
  await house.passMs(saleId, offsetMs)
}

t.test("the loss of Redis takes nobody's token and lets nobody in beside the pace", async (t) => {
  const sale = await makeSale(sql, { changes: { ...slots(20), queue: { ...pace, ratePerMinute: 30 } } })
  const { gate } = await house.gate(sale.id)
  const people = await makePeople(sql, 60)
  await join(house, sale.id, people)
  for (let second = 0; second < 40; second++) {
    await house.passMs(sale.id, 1000)
    await gate.tick()
  }
  const before = await admitted(sale.id)
  t.ok(before.length >= 19, `${before.length} were let in within 40 s`)
  const tokens = await house.queue.standing(sale.id, before)
  await flush(sale.id)
  t.equal(await gate.tick(), undefined, 'the gate notices and rebuilds')
  t.same((await house.queue.standing(sale.id, before)).places, tokens.places, 'every token is what it was')
  await join(house, sale.id, people.slice(before.length))
  for (let second = 0; second < 80; second++) {
    await house.passMs(sale.id, 1000)
    await gate.tick()
    if (second === 30) {
      await flush(sale.id)
      await gate.tick()
      await join(house, sale.id, people)
    }
  }
  const rows = await sql<{ at: Date }[]>`select admitted_at as at from admissions where sale_id = ${sale.id}`
  const times = rows.map((row) => row.at.getTime())
  const windows = times.map((from) => times.filter((ms) => ms >= from && ms < from + 60_000).length)
  t.ok(Math.max(...windows) <= 30, `at most ${Math.max(...windows)} within a minute`)
  t.ok(times.length >= 45, 'and the gate went on')
  t.same(await admitted(sale.id), people.slice(0, times.length))
})

t.test('a token that ended while Redis had forgotten it ends on disk too, and makes room', async (t) => {
  const { sale, gate, buyers } = await openShop(house, { buyers: 3, queue: { maxActive: 3 } })
  const offsetMs = Number(await house.redis.hget(saleKeys(sale.id).state, 'offset_ms'))
  await house.redis.flushall()
  await house.passMs(sale.id, offsetMs + sale.queue.tokenTtlSeconds * 1000 + 1000)
  t.equal(await gate.tick(), undefined, 'the gate notices and rebuilds')
  const next = await makePeople(sql, 3)
  await join(house, sale.id, next)
  await gate.tick()
  const rows = await sql<{ account: string; ending: string | null }[]>`
    select account_id as account, closed_as as ending from admissions where sale_id = ${sale.id} order by sequence`
  const ended = buyers.map(({ accountId }) => ({ account: accountId, ending: 'ended' }))
  t.same(rows, [...ended, ...next.map((account) => ({ account, ending: null }))])
})

t.test('a sale with all its tokens out admits nobody after a loss', async (t) => {
  const { sale, gate, buyers } = await openShop(house, { buyers: 3, queue: { maxActive: 3 } })
  const next = await makePeople(sql, 2)
  await flush(sale.id)
  await gate.tick()
  await join(house, sale.id, next)
  for (let second = 0; second < 5; second++) {
    await house.passMs(sale.id, 1000)
    t.equal((await gate.tick())?.told, 0)
  }
  await house.queue.leave(sale.id, at(buyers, 0).accountId)
  await gate.tick()
  t.same(await admitted(sale.id), [...buyers.map((one) => one.accountId), at(next, 0)])
})

t.test(
  'nobody is admitted while the line is put back, unless every edge that lives has answered',
  async (t) => {
    const announced: number[] = []
    const sale = await makeSale(sql, { changes: { queue: pace } })
    await house.gate(sale.id)
    t.teardown(() => Promise.all(['prc_a', 'prc_b'].map((id) => sayGoodbye(sql, id))))
    await beat(sql, { id: 'prc_a', roles: ['edge'] })
    await beat(sql, { id: 'prc_b', roles: ['edge', 'worker'] })
    // They live for as long as the test takes.
    await sql`update processes set started_at = now() - interval '1 minute', seen_at = now() + interval '1 hour'`
    await house.redis.flushall()
    const announceEpoch = (_sale: string, epoch: number) => void announced.push(epoch)
    const { gate } = await house.gate(sale.id, { restoreMs: 600_000, announceEpoch })
    const people = await makePeople(sql, 2)
    await join(house, sale.id, people)
    await house.passMs(sale.id, 5000)
    t.equal((await gate.tick())?.told, 0)
    const epoch = house.state.epoch(sale.id)
    t.same(announced, [epoch, epoch], 'every edge is asked, again and again')
    await house.queue.restore(sale.id, [], { edge: 'prc_a', last: true })
    await gate.tick()
    t.equal((await gate.tick())?.told, 0, 'one has answered')
    await house.queue.restore(sale.id, [], { edge: 'prc_b', last: false })
    await gate.tick()
    t.equal((await gate.tick())?.told, 0, 'the other has not come to its end')
    await house.queue.restore(sale.id, [], { edge: 'prc_b', last: true })
    await gate.tick()
    t.equal((await gate.tick())?.told, 2, 'both have')
  },
)

t.test('an edge that may be younger than the lost line cannot vouch for it', async (t) => {
  t.teardown(() => sayGoodbye(sql, 'prc_y'))
  const { sale } = await openShop(house, { buyers: 0 })
  await beat(sql, { id: 'prc_y', roles: ['edge'] })
  await house.redis.flushall()
  const { gate } = await house.gate(sale.id, { restoreMs: 15_000 })
  await join(house, sale.id, await makePeople(sql, 1))
  await house.queue.restore(sale.id, [], { edge: 'prc_y', last: true })
  await house.passMs(sale.id, 5000)
  await gate.tick()
  t.equal((await gate.tick())?.told, 0)
})

t.test('where no edge survived the gate waits its time, and not longer', async (t) => {
  const { sale, gate } = await openShop(house, { buyers: 0 })
  await house.redis.flushall()
  const again = await house.gate(sale.id, { restoreMs: 600_000 })
  await join(house, sale.id, await makePeople(sql, 1))
  await house.passMs(sale.id, 540_000)
  t.equal((await again.gate.tick())?.told, 0)
  await house.passMs(sale.id, 60_000)
  t.equal((await again.gate.tick())?.told, 1)
  await t.rejects(gate.tick(), { name: 'FencedError' })
})

t.test(
  'who was being let in when the state was lost, and is not durably in, stands in line again',
  async (t) => {
    const sale = await makeSale(sql, { changes: { ...slots(4), queue: pace } })
    const { writership } = await house.gate(sale.id)
    const people = await makePeople(sql, 14)
    await join(house, sale.id, people)
    await house.passMs(sale.id, 1000)
    const ticks = new AdmissionTicks({ state: house.state, writership })
    const { grants, closings } = await ticks.admit()
    t.equal(grants.length, 10, 'one second of the pace')
    const durable = grants.filter(({ accountId }) => accountId === people[3])
    await recordAdmissions(sql, { saleId: sale.id, fence: writership.fence, grants: durable, closings })
    // As after a restart of Redis that kept its keys.
    await sql`update sale_writers set store_run_id = 'another' where sale_id = ${sale.id}`
    await house.gate(sale.id)
    const line = await house.redis.zrange(saleKeys(sale.id).queue, 0, -1)
    t.same(line, people.toSpliced(3, 1), 'in the old order, but for the one whose admission stands')
    t.same(await house.redis.hkeys(saleKeys(sale.id).active), [people[3]])
  },
)

t.test('a new sale is not held up: there is no line to be put back', async (t) => {
  const sale = await makeSale(sql, { changes: { queue: pace } })
  const { gate } = await house.gate(sale.id, { restoreMs: 15_000 })
  await join(house, sale.id, await makePeople(sql, 1))
  await house.passMs(sale.id, 1000)
  t.equal((await gate.tick())?.told, 1)
})

t.test('a call that carries an older epoch is refused or learns the new one, never served', async (t) => {
  const { sale, buyers } = await openShop(house, { buyers: 1 })
  const edge = await house.otherState()
  const holds = new HoldStore(edge)
  const asked = { ...at(buyers, 0), alternatives: [[{ unitNo: 0, quantity: 1 }]] }
  await holds.take(sale.id, { ...asked, holdId: 'hol_a' })
  const before = edge.epoch(sale.id)
  await house.redis.flushall()
  await t.rejects(holds.take(sale.id, { ...asked, holdId: 'hol_b' }), { code: 'restoring' })
  await house.gate(sale.id)
  t.match(await holds.take(sale.id, { ...asked, holdId: 'hol_b' }), { hold: { places: [{ ordinal: 1 }] } })
  t.ok(edge.epoch(sale.id) > before)
})

t.test(
  'a Redis that came back from its file is not believed, though everything seems to be there',
  async (t) => {
    const own = await useOwnRedis(t, { appendOnly: true })
    const redis = unhurriedRedis({ url: own.url, name: 'test', log: house.log })
    t.teardown(() => redis.disconnect())
    await redis.connect()
    const one = new OneRedis(redis, unhurriedClock)
    const state = new SaleState(one)
    await until('the run_id is known', () => one.isKnown)
    const holds = new HoldStore(state)
    const sync = new UnitSync({ sql, holds })
    const queue = new QueueStore(state)
    const sale = await makeSale(sql, { changes: { ...slots(4), queue: { ...pace, maxActive: 2 } } })
    const parts = {
      sql,
      state,
      catalogue: house.catalogue,
      restoreMs: 0,
      announceEpoch: () => {},
      log: house.log,
    }
    const fence = { saleId: sale.id, fence: 1, epoch: 0, storeRunId: null }
    await sql`update sale_writers set fence = 1 where sale_id = ${sale.id}`
    const gate = new AdmissionGate({
      ...parts,
      writership: fence,
      replay: (id, after) => sync.replay(id, after),
    })
    await gate.begin()
    const people = await makePeople(sql, 4)
    await join({ queue }, sale.id, people)
    const { state: key, active, queue: line } = saleKeys(sale.id)
    await redis.hincrby(key, 'offset_ms', 2000)
    t.equal((await gate.tick())?.told, 2)
    const buyer = { accountId: at(people, 0), sequence: (await queue.join(sale.id, at(people, 0))).sequence }
    const there = { ...house, holds }
    await mustHold(there, { saleId: sale.id, buyer, wants: [{ unitNo: 0, quantity: 1 }] })
    // What a crash loses: the last second, in which two were let in. Their tokens are gone, their places in line are back.
    await redis.hdel(active, ...people)
    await redis.zadd(line, 'NX', buyer.sequence, buyer.accountId)
    await until('the file is written', async () =>
      /aof_pending_bio_fsync:0/.test(await redis.info('persistence')),
    )
    const { runId } = one
    await own.kill()
    await own.restart()
    await until('it is connected again', () => one.isKnown && one.runId !== runId)
    await until('it has the state still', async () => (await redis.hget(key, 'ready')) === '1')
    await t.rejects(queue.join(sale.id, at(people, 3)), { code: 'restoring' })
    t.equal(await gate.tick(), undefined, 'the gate rebuilds')
    const places = (await queue.standing(sale.id, people)).places.map((place) => place.state)
    t.same(places, ['admitted', 'admitted', 'waiting', 'waiting'])
    t.same(await redis.zrange(line, 0, -1), people.slice(2), 'nobody stands in line who was let in')
    await redis.hincrby(key, 'offset_ms', 5000)
    t.equal((await gate.tick())?.told, 0, 'and no third one is let in')
  },
)
