import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { useHouse } from '../../test/support/house.ts'
import {
  at,
  draftOf,
  makePeople,
  openShop,
  placesInPostgres,
  placesInRedis,
} from '../../test/support/shop.ts'
import { unhurriedSubscriber } from '../../test/support/unhurried.ts'
import { until } from '../../test/support/until.ts'
import { appendOutbox } from '../db/outbox.ts'
import type { TransactionSql } from '../db/postgres.ts'
import { generalErrors, Problem } from '../errors.ts'
import { orderCommitter } from '../domain/orders/order-commit.ts'
import { advanceRelay, leaseRelay, releaseRelay, trimRelayed } from '../domain/orders/relay-store.ts'
import { UnitSync } from '../domain/units/unit-sync.ts'
import { accountChannel, accountNotices, saleChannel } from './house-channels.ts'
import { OutboxRelay, reader } from './outbox-relay.ts'

const house = await useHouse(t)
const { sql, redis, sync, log } = house
const committer = orderCommitter(sql)
const subscriber = unhurriedSubscriber({ url: house.server.url, name: 'test', log })
t.teardown(() => subscriber.disconnect())
await subscriber.connect()
const heard: [channel: string, message: string][] = []
subscriber.on('message', (channel: string, message: string) => void heard.push([channel, message]))
await subscriber.subscribe(accountChannel, saleChannel)

t.beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }))
t.afterEach(() => mock.timers.reset())

const relayOf = async (t: Test, processId: string, by: UnitSync = sync) => {
  // No relay loses its place for want of time.
  const relay = new OutboxRelay({ sql, redis: house.servers, sync: by, processId, log, leaseMs: 600_000 })
  t.teardown(() => relay.stop())
  await relay.run()
  return relay
}
/** One look of every relay that runs; repeated by `until`, because old transactions elsewhere hold entries back. */
const look = () => mock.timers.tick(200)
const ordersHeard = (accountId: string) =>
  heard
    .filter(([channel]) => channel === accountChannel)
    .flatMap(([, text]) => accountNotices.parse(JSON.parse(text)))
    .filter((notice) => notice.account === accountId)
    .map((notice) => notice.data.order)
const entryFor = (accountId: string, saleId: string, order: string) => ({
  saleId,
  topic: 'order',
  body: { order, account: accountId, status: 'booked', places: [] },
})
const untilHeard = async (accountId: string, count: number) => {
  await until(`${count} are told`, () => {
    look()
    return ordersHeard(accountId).length >= count
  })
  // Told first, noted then: what comes next may end the relay that tells.
  await until('the relay has noted it', async () => {
    look()
    const [row] = await sql<{ done: boolean }[]>`
      select not exists (select from outbox o, outbox_positions p
        where p.reader = ${reader} and (o.xid, o.id) > (p.xid, p.id)) as done`
    return row?.done === true
  })
}

t.test('what was committed and told to nobody reaches Redis and its account', async (t) => {
  const { sale } = await openShop(house, { buyers: 0 })
  const accountId = at(await makePeople(sql, 1), 0)
  await relayOf(t, 'prc_a')
  const draft = draftOf(sale.id, { accountId, places: [{ unitNo: 0, ordinal: 3, nth: 1 }] })
  await committer.add(draft)
  await untilHeard(accountId, 1)
  t.same(ordersHeard(accountId), [draft.orderId])
  const [there, truth] = [await placesInRedis(house, sale.id), await placesInPostgres(sql, sale.id)]
  t.same(there, truth)
  t.equal(there.sold, 1)
})

t.test(
  'a transaction that commits late is not skipped, though a younger one was there to be read',
  async (t) => {
    const { sale } = await openShop(house, { buyers: 0 })
    const accountId = at(await makePeople(sql, 1), 0)
    await relayOf(t, 'prc_a')
    const write = (tx: TransactionSql, order: string) =>
      appendOutbox(tx, [entryFor(accountId, sale.id, order)])
    await sql.begin(async (early) => {
      await write(early, 'ord_early')
      await sql.begin((late) => write(late, 'ord_late'))
      for (let round = 0; round < 5; round++) {
        look()
        await sql`select 1`
      }
      t.same(ordersHeard(accountId), [], 'the younger one waits for it')
    })
    await untilHeard(accountId, 2)
    t.same(ordersHeard(accountId), ['ord_early', 'ord_late'], 'and comes after it')
  },
)

t.test('one process relays; another takes over when it is silent or gone, where it left off', async (t) => {
  const { sale } = await openShop(house, { buyers: 0 })
  const accountId = at(await makePeople(sql, 1), 0)
  const first = await relayOf(t, 'prc_a')
  const tell = (order: string) => sql.begin((tx) => appendOutbox(tx, [entryFor(accountId, sale.id, order)]))
  await tell('ord_1')
  await untilHeard(accountId, 1)
  await relayOf(t, 'prc_b')
  await tell('ord_2')
  await untilHeard(accountId, 2)
  const owner = async () =>
    (await sql<{ owner: string }[]>`select lease_owner as owner from outbox_positions`)[0]?.owner
  t.equal(await owner(), 'prc_a')
  await first.stop()
  await tell('ord_3')
  await untilHeard(accountId, 3)
  t.equal(await owner(), 'prc_b')
  await sql`update outbox_positions set lease_owner = 'prc_dead', lease_until = now() - interval '1 ms'`
  await tell('ord_4')
  await untilHeard(accountId, 4)
  t.equal(await owner(), 'prc_b')
  t.same(ordersHeard(accountId), ['ord_1', 'ord_2', 'ord_3', 'ord_4'], 'each once')
})

t.test('a relay that lost its place does not move the position of the one that has it', async (t) => {
  const options = { reader: 'other', leaseMs: 60_000 }
  t.same(await leaseRelay(sql, { ...options, processId: 'prc_a' }), { xid: '0', id: 0 })
  t.equal(await leaseRelay(sql, { ...options, processId: 'prc_b' }), undefined)
  t.equal(await advanceRelay(sql, { ...options, processId: 'prc_a', position: { xid: '7', id: 8 } }), true)
  t.equal(await advanceRelay(sql, { ...options, processId: 'prc_b', position: { xid: '9', id: 9 } }), false)
  await releaseRelay(sql, { ...options, processId: 'prc_b' })
  t.equal(await leaseRelay(sql, { ...options, processId: 'prc_b' }), undefined)
  await releaseRelay(sql, { ...options, processId: 'prc_a' })
  t.same(await leaseRelay(sql, { ...options, processId: 'prc_b' }), { xid: '7', id: 8 })
})

t.test('a sale that Redis has forgotten does not hold up the others', async (t) => {
  const [gone, there] = [await openShop(house, { buyers: 0 }), await openShop(house, { buyers: 0 })]
  await redis.del(`{${gone.sale.id}}:state`)
  const [a, b] = await makePeople(sql, 2)
  if (!a || !b) throw new Error('two were made')
  await relayOf(t, 'prc_a')
  const places = [{ unitNo: 0, ordinal: 1, nth: 1 }]
  await committer.add(draftOf(gone.sale.id, { accountId: a, places }))
  await committer.add(draftOf(there.sale.id, { accountId: b, places }))
  await untilHeard(b, 1)
  t.equal((await placesInRedis(house, there.sale.id)).sold, 1)
  await gone.gate.tick()
  t.equal((await placesInRedis(house, gone.sale.id)).sold, 1, 'its rebuild has what was passed over')
})

t.test('while Redis is away entries wait, and are told when it is back', async (t) => {
  const { sale } = await openShop(house, { buyers: 0 })
  const accountId = at(await makePeople(sql, 1), 0)
  await relayOf(t, 'prc_a')
  await sql.begin((tx) => appendOutbox(tx, [entryFor(accountId, sale.id, 'ord_before')]))
  await untilHeard(accountId, 1)
  const position = () => sql`select xid::text, id from outbox_positions where reader = ${reader}`
  const before = await position()
  await house.server.kill()
  await sql.begin((tx) => appendOutbox(tx, [entryFor(accountId, sale.id, 'ord_waits')]))
  for (let round = 0; round < 5; round++) {
    look()
    await sql`select 1`
  }
  t.same(await position(), before, 'nothing is passed over')
  await house.server.restart()
  await until('it is back', () => redis.status === 'ready' && subscriber.status === 'ready')
  await subscriber.subscribe(accountChannel, saleChannel)
  await until(
    'it is listened to again',
    async () => Number((await redis.pubsub('NUMSUB', accountChannel))[1]) > 0,
  )
  await untilHeard(accountId, 2)
  t.ok(ordersHeard(accountId).includes('ord_waits'))
})

t.test('places that could not be applied are not passed over', async (t) => {
  const { sale } = await openShop(house, { buyers: 0 })
  const accountId = at(await makePeople(sql, 1), 0)
  let failures = 3
  class Failing extends UnitSync {
    override async apply(...changes: Parameters<UnitSync['apply']>): Promise<void> {
      // As between a new connection and the moment in which it is known what life of Redis answers there.
      if (failures-- > 0) throw new Problem(generalErrors.unavailable)
      await super.apply(...changes)
    }
  }
  await relayOf(t, 'prc_a', new Failing({ sql, holds: house.holds }))
  await committer.add(draftOf(sale.id, { accountId, places: [{ unitNo: 0, ordinal: 1, nth: 1 }] }))
  await untilHeard(accountId, 1)
  t.ok(failures < 0)
  t.equal((await placesInRedis(house, sale.id)).sold, 1)
})

t.test('a sale whose part of Redis is away stays behind alone, and is told when it is back', async (t) => {
  const [away, there] = [await openShop(house, { buyers: 0 }), await openShop(house, { buyers: 0 })]
  const [a, b] = await makePeople(sql, 2)
  if (!a || !b) throw new Error('two were made')
  let isAway = true
  class Partly extends UnitSync {
    override async apply(saleId: string, ...rest: [Parameters<UnitSync['apply']>[1]]): Promise<void> {
      if (isAway && saleId === away.sale.id) throw new Problem(generalErrors.unavailable)
      await super.apply(saleId, ...rest)
    }
  }
  const places = [{ unitNo: 0, ordinal: 1, nth: 1 }]
  await committer.add(draftOf(away.sale.id, { accountId: a, places }))
  // More than the relay reads at once.
  await sql`
    insert into outbox (sale_id, topic, body)
    select sale_id, topic, body from outbox, generate_series(1, 1000) where sale_id = ${away.sale.id} and topic = 'order'`
  await committer.add(draftOf(there.sale.id, { accountId: b, places }))
  // An older transaction, of whatever database, would hold the orders back, but not what was before them.
  await until('all can be read', async () => {
    const [row] = await sql<{ all: boolean }[]>`
      select max(xid) < pg_snapshot_xmin(pg_current_snapshot()) as all from outbox`
    return row?.all === true
  })
  const position = async () =>
    (await sql`select xid::text, id from outbox_positions where reader = ${reader}`)[0]
  const before = await position()
  await relayOf(t, 'prc_a', new Partly({ sql, holds: house.holds }))
  await until('the other is told', async () => {
    look()
    return (await placesInRedis(house, there.sale.id)).sold === 1 && ordersHeard(b).length > 0
  })
  t.same(await position(), before, 'nothing is passed over on disk')
  t.equal((await placesInRedis(house, away.sale.id)).sold, 0)
  isAway = false
  await until('it is told, too', async () => {
    look()
    return (await placesInRedis(house, away.sale.id)).sold === 1
  })
  await untilHeard(a, 1)
})

t.test('a change of a sale is told to every process', async (t) => {
  const { sale } = await openShop(house, { buyers: 0 })
  await relayOf(t, 'prc_a')
  const isTold = () => heard.some(([channel, text]) => channel === saleChannel && text === sale.id)
  await sql.begin((tx) => appendOutbox(tx, [{ saleId: sale.id, topic: 'sale', body: { version: 2 } }]))
  await until('it is told', () => {
    look()
    return isTold()
  })
  t.ok(isTold())
})

t.test('entries fade when they were told long ago, not before', async (t) => {
  const { sale } = await openShop(house, { buyers: 0 })
  await sql`truncate outbox`
  const accountId = at(await makePeople(sql, 1), 0)
  await sql.begin((tx) => appendOutbox(tx, [entryFor(accountId, sale.id, 'ord_old')]))
  await sql.begin((tx) => appendOutbox(tx, [entryFor(accountId, sale.id, 'ord_untold')]))
  await sql`update outbox set at = now() - interval '25 hours'`
  await sql.begin((tx) => appendOutbox(tx, [entryFor(accountId, sale.id, 'ord_young')]))
  const [, second] = await sql<{ xid: string; id: number }[]>`
    select xid::text as xid, id from outbox order by xid, id`
  await sql`update outbox_positions set xid = ${second?.xid ?? ''}::text::xid8, id = 0 where reader = ${reader}`
  const orders = async () =>
    (await sql<{ order: string }[]>`select body ->> 'order' as order from outbox order by xid, id`).map(
      (row) => row.order,
    )
  await trimRelayed(sql, { reader, keepHours: 24 })
  t.same(await orders(), ['ord_untold', 'ord_young'])
})
