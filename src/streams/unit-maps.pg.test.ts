import t, { type Test } from 'tap'
import { useHouse } from '../../test/support/house.ts'
import { at, mustHold, openShop, placesInRedis, slots, type Shop } from '../../test/support/shop.ts'
import { unhurriedSubscriber } from '../../test/support/unhurried.ts'
import { until } from '../../test/support/until.ts'
import { saleChannels } from '../domain/sale-state/sale-keys.ts'
import type { UnitsDelta } from '../domain/units/unit-messages.ts'
import { Broker } from './broker.ts'
import { UnitMaps } from './unit-maps.ts'

const house = await useHouse(t)
const { sql, redis, holds, state } = house
const subscriber = unhurriedSubscriber({ url: house.server.url, name: 'test', log: house.log })
t.teardown(() => subscriber.disconnect())
await subscriber.connect()
const broker = new Broker({ subscriber, log: house.log })

/** The maps of a process, and how often they read the whole of a sale. */
const mapsOf = (t: Test) => {
  let reads = 0
  const counting = new Proxy(state, {
    get: (target, name) => {
      if (name === 'run') reads++
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const maps = new UnitMaps({ state: counting, broker, catalogue: house.catalogue })
  t.teardown(() => maps.stop())
  return { maps, reads: () => reads }
}
const left = async (maps: UnitMaps, shop: Shop) => {
  const free = await maps.freePlaces(shop.sale.id)
  return [0, 1, 2].map((unitNo) => free(unitNo))
}
const isLeft = (maps: UnitMaps, shop: Shop, want: readonly number[]) =>
  until(`${want.join(' ')} are left`, async () => (await left(maps, shop)).join() === want.join())
const take = (shop: Shop, unitNo: number, quantity = 1) =>
  mustHold(house, { saleId: shop.sale.id, buyer: at(shop.buyers, 0), wants: [{ unitNo, quantity }] })
const openShopOf3 = () => openShop(house, { buyers: 1, changes: slots(3), queue: { maxPerAccount: 30 } })
const isListening = (shop: Shop) =>
  until('it listens', async () => {
    const [, count] = await redis.pubsub('NUMSUB', saleChannels.units(shop.sale.id))
    return Number(count) === 1
  })
const publish = (shop: Shop, delta: Omit<UnitsDelta, 'epoch'> & { epoch?: number }) => {
  const message = { epoch: state.epoch(shop.sale.id), ...delta }
  return redis.publish(saleChannels.units(shop.sale.id), JSON.stringify(message))
}

t.test('a map is read once and then follows what is told', async (t) => {
  const shop = await openShopOf3()
  const { maps, reads } = mapsOf(t)
  await take(shop, 1, 4)
  t.same(await left(maps, shop), [10, 6, 10])
  await isListening(shop)
  const hold = await take(shop, 0, 2)
  await isLeft(maps, shop, [8, 6, 10])
  await holds.release(shop.sale.id, { holdId: hold.id, accountId: hold.accountId })
  await take(shop, 2, 3)
  await isLeft(maps, shop, [10, 6, 7])
  t.equal(reads(), 1)
})

t.test('a crowd that asks at once leads to one reading', async (t) => {
  const shop = await openShopOf3()
  const { maps, reads } = mapsOf(t)
  const all = await Promise.all(Array.from({ length: 50 }, () => left(maps, shop)))
  for (const one of all) t.same(one, [10, 10, 10])
  t.equal(reads(), 1)
})

t.test('after a message that was lost the whole is read again', async (t) => {
  const shop = await openShopOf3()
  const { maps, reads } = mapsOf(t)
  await left(maps, shop)
  await isListening(shop)
  const [, rev] = await redis.hmget(`{${shop.sale.id}}:state`, 'epoch', 'rev')
  // Says that one revision came before it, which nobody here has heard.
  await publish(shop, { prev: Number(rev) + 1, seq: Number(rev) + 2, changes: [[0, 1, 0]] })
  await until('it reads again', async () => {
    await left(maps, shop)
    return reads() === 2
  })
  t.same(await left(maps, shop), [10, 10, 10], 'and does not believe the message alone')
})

t.test('a message that comes twice or late is passed over', async (t) => {
  const shop = await openShopOf3()
  const { maps, reads } = mapsOf(t)
  await take(shop, 0)
  await take(shop, 0)
  t.same(await left(maps, shop), [8, 10, 10])
  await isListening(shop)
  const rev = Number(await redis.hget(`{${shop.sale.id}}:state`, 'rev'))
  await publish(shop, { prev: rev - 2, seq: rev - 1, changes: [[0, 9, 1]] })
  await take(shop, 1)
  await isLeft(maps, shop, [8, 9, 10])
  t.equal(reads(), 1)
})

t.test('in a new epoch the whole is read again', async (t) => {
  const shop = await openShopOf3()
  const { maps } = mapsOf(t)
  await take(shop, 0, 5)
  t.same(await left(maps, shop), [5, 10, 10])
  await isListening(shop)
  await redis.flushall()
  const { gate } = await house.gate(shop.sale.id)
  await gate.tick()
  // The hold ended with the loss. The first change of the new epoch gives it away.
  const hold = await take(shop, 1)
  await isLeft(maps, shop, [10, 9, 10])
  t.ok(hold)
})

t.test('the first head of the line in a new epoch gives it away', async (t) => {
  const shop = await openShopOf3()
  const { maps, reads } = mapsOf(t)
  await take(shop, 0, 5)
  t.same(await left(maps, shop), [5, 10, 10])
  await isListening(shop)
  await redis.flushall()
  const { gate } = await house.gate(shop.sale.id)
  await gate.tick()
  await isLeft(maps, shop, [10, 10, 10])
  t.equal(reads(), 2)
})

t.test('in a new epoch whose revisions go on where the old ones ended, too', async (t) => {
  const shop = await openShopOf3()
  const { maps } = mapsOf(t)
  await take(shop, 0, 5)
  t.same(await left(maps, shop), [5, 10, 10])
  await isListening(shop)
  // As after a restart of Redis that kept the keys: the hold ends, and no message says so.
  await sql`update sale_writers set store_run_id = 'another' where sale_id = ${shop.sale.id}`
  await house.gate(shop.sale.id)
  await take(shop, 1)
  await isLeft(maps, shop, [10, 9, 10])
  t.pass('the whole was read again')
})

t.test('what is told while the map is read is not lost', async (t) => {
  const shop = await openShopOf3()
  const { maps } = mapsOf(t)
  for (let round = 0; round < 10; round++) {
    maps.stop()
    await until('it has stopped', async () => {
      const [, count] = await redis.pubsub('NUMSUB', saleChannels.units(shop.sale.id))
      return Number(count) === 0
    })
    await Promise.all([left(maps, shop), take(shop, round % 3)])
    await isListening(shop)
    // Whatever it has missed before it listened shows with the next change.
    await take(shop, (round + 1) % 3)
    const truth = (await placesInRedis(house, shop.sale.id)).left
    await isLeft(maps, shop, truth)
  }
  t.pass('it came to the same numbers each time')
})

t.test('after a cut of the connection everything is read anew', async (t) => {
  const shop = await openShopOf3()
  const { maps } = mapsOf(t)
  t.same(await left(maps, shop), [10, 10, 10])
  await isListening(shop)
  await redis.client('KILL', 'TYPE', 'pubsub')
  await take(shop, 2, 10)
  await isLeft(maps, shop, [10, 10, 0])
  t.pass('though nobody told')
})

t.test('a sale that is being rebuilt says so, and is readable afterwards', async (t) => {
  const shop = await openShopOf3()
  const { maps } = mapsOf(t)
  await redis.del(`{${shop.sale.id}}:state`)
  await t.rejects(maps.freePlaces(shop.sale.id), { code: 'restoring' })
  await shop.gate.tick()
  t.same(await left(maps, shop), [10, 10, 10])
})
