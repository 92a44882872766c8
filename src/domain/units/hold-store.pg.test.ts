import t from 'tap'
import { useHouse } from '../../../test/support/house.ts'
import {
  at,
  mustHold,
  newHoldId,
  openShop,
  placesInRedis,
  slots,
  type Shop,
} from '../../../test/support/shop.ts'
import { unhurriedSubscriber } from '../../../test/support/unhurried.ts'
import { until } from '../../../test/support/until.ts'
import { saleChannels, saleKeyNames, saleKeys } from '../sale-state/sale-keys.ts'
import { FencedError } from '../sale-state/sale-failures.ts'
import type { Want } from './hold.ts'
import { unitsDelta, type UnitsDelta } from './unit-messages.ts'
import { unitsSnapshot } from './unit-scripts.ts'

const house = await useHouse(t)
const { holds, queue, sync } = house
const one = (unitNo: number, quantity = 1): Want[] => [{ unitNo, quantity }]
const subscriber = unhurriedSubscriber({ url: house.server.url, name: 'test', log: house.log })
t.teardown(() => subscriber.disconnect())
await subscriber.connect()
/** The messages of a channel from now on. */
const listen = async (channel: string) => {
  const heard: string[] = []
  await subscriber.subscribe(channel)
  subscriber.on('message', (from: string, text: string) => from === channel && heard.push(text))
  return heard
}
const sweep = ({ sale, writership }: Shop, pinnedMs = 10_000) =>
  holds.sweep(sale.id, { fence: writership.fence, batch: 100, pinnedMs })
const free = async (shop: Shop) => (await placesInRedis(house, shop.sale.id)).free
/** A hold of `quantity` places by somebody new in the shop. */
const held = async (shop: Shop, wants: Want[]) => {
  const buyer = at(shop.buyers, 0)
  return { buyer, hold: await mustHold(house, { saleId: shop.sale.id, buyer, wants }) }
}

t.test('a hold ends at its time, not before, and its places are free at once', async (t) => {
  const shop = await openShop(house, { buyers: 1, changes: slots(2), queue: { holdTtlSeconds: 600 } })
  const { hold } = await held(shop, [...one(0, 2), ...one(1)])
  const wakes = await listen(saleChannels.wake(shop.sale.id))
  await house.passMs(shop.sale.id, 540_000)
  t.same(await sweep(shop), { ended: 0, forsaken: [] })
  t.equal(await free(shop), 17)
  await house.passMs(shop.sale.id, 60_000)
  t.same(await sweep(shop), { ended: 1, forsaken: [] })
  t.equal(await free(shop), 20)
  await until('the gate is woken', () => wakes.includes('sweep'))
  t.same((await placesInRedis(house, shop.sale.id)).accounts, {}, 'the account may hold as much as before')
  const pin = { holdId: hold.id, accountId: hold.accountId, orderId: 'ord_late' }
  await t.rejects(holds.pin(shop.sale.id, pin), { code: 'hold_gone' })
})

t.test('a hold whose time is over cannot be ordered, also before anybody swept', async (t) => {
  const shop = await openShop(house, { buyers: 1, queue: { holdTtlSeconds: 60 } })
  const { hold } = await held(shop, one(0))
  await house.passMs(shop.sale.id, 60_000)
  const pin = { holdId: hold.id, accountId: hold.accountId, orderId: 'ord_late' }
  await t.rejects(holds.pin(shop.sale.id, pin), { code: 'hold_gone' })
})

t.test('a pinned hold ends neither by time nor by its owner', async (t) => {
  const shop = await openShop(house, { buyers: 1, queue: { holdTtlSeconds: 60 } })
  const saleId = shop.sale.id
  const { hold, buyer } = await held(shop, one(0, 2))
  const pin = { holdId: hold.id, accountId: buyer.accountId, orderId: 'ord_a' }
  const pinned = await holds.pin(saleId, pin)
  t.same(await holds.pin(saleId, pin), pinned, 'the same order again gets the same answer')
  await t.rejects(
    holds.pin(saleId, { ...pin, orderId: 'ord_b' }),
    { code: 'hold_gone' },
    'another order does not',
  )
  await house.passMs(saleId, 600_000)
  t.match(await sweep(shop, 3_600_000), { ended: 0, forsaken: [] })
  t.equal(await free(shop), 8)
  await t.rejects(holds.release(saleId, { holdId: hold.id, accountId: buyer.accountId }), {
    code: 'hold_gone',
  })
  t.equal(await free(shop), 8)
  const { forsaken } = await sweep(shop)
  t.same(forsaken, [pinned], 'after a while it is named as forsaken')
  t.equal(await free(shop), 8, 'and freed by nobody but its order')
})

t.test('of a hold and its order, the other account gets nothing', async (t) => {
  const shop = await openShop(house, { buyers: 2 })
  const { hold } = await held(shop, one(0))
  const other = shop.buyers[1]?.accountId ?? ''
  const pin = { holdId: hold.id, accountId: other, orderId: 'ord_a' }
  await t.rejects(holds.pin(shop.sale.id, pin), { code: 'hold_gone' })
  const taken = await holds.pin(shop.sale.id, { ...pin, accountId: hold.accountId })
  t.equal(taken.orderId, 'ord_a')
})

t.test('leaving gives the holds back, but not those an order was made of', async (t) => {
  const shop = await openShop(house, { buyers: 1 })
  const saleId = shop.sale.id
  const { buyer, hold } = await held(shop, one(0))
  await mustHold(house, { saleId, buyer, wants: one(0, 2) })
  await holds.pin(saleId, { holdId: hold.id, accountId: buyer.accountId, orderId: 'ord_a' })
  t.equal(await free(shop), 7)
  await queue.leave(saleId, buyer.accountId)
  const { places, accounts } = await placesInRedis(house, saleId)
  t.same(places, { '0:1': 'p:ord_a' })
  t.same(accounts, { [buyer.accountId]: 1 })
})

t.test('places given back are given again before new ones, each once', async (t) => {
  const shop = await openShop(house, { buyers: 1, queue: { maxPerAccount: 10 } })
  const { buyer, hold } = await held(shop, one(0, 3))
  const rest = await mustHold(house, { saleId: shop.sale.id, buyer, wants: one(0, 2) })
  await holds.release(shop.sale.id, { holdId: hold.id, accountId: buyer.accountId })
  const again = await mustHold(house, { saleId: shop.sale.id, buyer, wants: one(0, 8) })
  const ordinals = [...rest.places, ...again.places].map((place) => place.ordinal)
  t.same(
    ordinals.toSorted((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
  t.same((await placesInRedis(house, shop.sale.id)).ordinals, [[]])
})

t.test('only the newest writer sweeps', async (t) => {
  const shop = await openShop(house, { buyers: 1, queue: { holdTtlSeconds: 1 } })
  await held(shop, one(0))
  await house.passMs(shop.sale.id, 1000)
  const { writership } = await house.gate(shop.sale.id)
  await t.rejects(sweep(shop), FencedError)
  t.equal(await free(shop), 9)
  t.equal((await sweep({ ...shop, writership })).ended, 1)
})

t.test('each change of units is told once, under the revision that follows the last', async (t) => {
  const shop = await openShop(house, { buyers: 2, changes: slots(2), queue: { holdTtlSeconds: 60 } })
  const saleId = shop.sale.id
  const a = at(shop.buyers, 0)
  const b = at(shop.buyers, 1)
  const [, first, flat] = (await house.state.run(unitsSnapshot, saleId, { kind: 'slots' })) as [
    number,
    number,
    string[],
  ]
  const texts = await listen(saleChannels.units(saleId))
  const hold = (buyer: typeof a, wants: Want[]) => mustHold(house, { saleId, buyer, wants })
  const given = await hold(a, [...one(0, 2), ...one(1)])
  await holds.release(saleId, { holdId: given.id, accountId: a.accountId })
  const sold = await hold(a, one(0))
  await holds.pin(saleId, { holdId: sold.id, accountId: a.accountId, orderId: 'ord_a' })
  const order = { order: 'ord_a', account: a.accountId, places: [[0, 1, 1] as const] }
  await sync.apply(saleId, [{ ...order, hold: sold.id, status: 'booked' }])
  await sync.apply(saleId, [{ ...order, status: 'free' }])
  await hold(b, one(1))
  await queue.leave(saleId, b.accountId)
  await hold(a, one(1))
  await house.passMs(saleId, 60_000)
  await sweep(shop)
  const [, last, after] = (await house.state.run(unitsSnapshot, saleId, { kind: 'slots' })) as [
    number,
    number,
    string[],
  ]
  await until('all is told', () => texts.length >= last - first)
  const deltas = texts.map((text): UnitsDelta => unitsDelta.parse(JSON.parse(text)))
  t.same(
    deltas.map(({ prev, seq }) => [prev, seq]),
    Array.from({ length: 9 }, (_, index) => [first + index, first + index + 1]),
    'hold, release, hold, sold, freed, hold, left, hold, swept; the pin changes nothing for others',
  )
  const left = new Map<string, number>()
  for (let at = 0; at < flat.length; at += 2) left.set(flat[at] ?? '', Number(flat[at + 1]))
  for (const { changes } of deltas) for (const [unit, count] of changes) left.set(String(unit), count)
  t.same([...left].flat().map(String), after, 'the deltas lead from one snapshot to the other')
  t.same(deltas[3]?.changes, [[0, 9, 2]], 'a sold place is told as sold')
  t.equal(deltas[0]?.epoch, house.state.epoch(saleId))
})

t.test(
  'who asks at the same moment is served in the order of asking, each with a fate of its own',
  async (t) => {
    const shop = await openShop(house, { buyers: 4, changes: slots(1, 3), queue: { maxPerAccount: 2 } })
    const saleId = shop.sale.id
    const texts = await listen(saleChannels.units(saleId))
    const ask = (who: number, quantity: number, sequence = at(shop.buyers, who).sequence) =>
      holds.take(saleId, {
        accountId: at(shop.buyers, who).accountId,
        sequence,
        holdId: newHoldId(saleId),
        alternatives: [one(0, quantity)],
      })
    const [first, tooMany, stranger, second, late] = await Promise.allSettled([
      ask(0, 1),
      ask(1, 3),
      ask(2, 1, 1),
      ask(3, 2),
      ask(1, 1),
    ])
    t.match(first, { value: { hold: { places: [{ ordinal: 1 }] } } })
    t.match(tooMany, { value: { taken: [0] } }, 'only two are left')
    t.match(stranger, { reason: { code: 'admission_over' } })
    t.match(second, { value: { hold: { places: [{ ordinal: 2 }, { ordinal: 3 }] } } })
    t.match(late, { value: { taken: [0] } })
    await until('it is told', () => texts.length > 0)
    const deltas = texts.map((text) => unitsDelta.parse(JSON.parse(text)))
    t.match(
      deltas,
      [
        {
          changes: [
            [0, 2, 1],
            [0, 1, 1],
            [0, 0, 1],
          ],
        },
      ],
      'all in one revision',
    )
  },
)

t.test('what one sale refuses does not touch another that is asked at the same moment', async (t) => {
  const [shop, other] = [await openShop(house, { buyers: 1 }), await openShop(house, { buyers: 1 })]
  await house.redis.del(saleKeys(other.sale.id).state)
  const [taking, refused] = await Promise.allSettled(
    [shop, other].map(({ sale, buyers }) =>
      holds.take(sale.id, { ...at(buyers, 0), holdId: newHoldId(sale.id), alternatives: [one(0)] }),
    ),
  )
  t.match(taking, { value: { hold: { places: [{ unitNo: 0 }] } } })
  t.match(refused, { reason: { code: 'restoring' } })
})

t.test('a hold that is pinned as it is taken ends with its order only', async (t) => {
  const shop = await openShop(house, { buyers: 2, queue: { holdTtlSeconds: 60 } })
  const saleId = shop.sale.id
  const buyer = at(shop.buyers, 0)
  const asked = { ...buyer, holdId: newHoldId(saleId), alternatives: [one(0, 2)], orderId: 'ord_a' }
  const taking = await holds.take(saleId, asked)
  t.match(taking, { hold: { orderId: 'ord_a', places: [{ ordinal: 1 }, { ordinal: 2 }] } })
  const { hold } = taking as Extract<typeof taking, { hold: unknown }>
  t.same(await holds.take(saleId, asked), taking, 'asked again it is the same')
  const pin = { holdId: hold.id, accountId: hold.accountId, orderId: 'ord_a' }
  t.same(await holds.pin(saleId, pin), hold, 'the order finds it pinned')
  await t.rejects(holds.pin(saleId, { ...pin, orderId: 'ord_b' }), { code: 'hold_gone' })
  await t.rejects(holds.release(saleId, pin), { code: 'hold_gone' })
  await house.passMs(saleId, 600_000)
  t.match(await sweep(shop, 3_600_000), { ended: 0, forsaken: [] })
  t.same((await sweep(shop)).forsaken, [hold], 'after a while it is named as forsaken')
  await sync.apply(saleId, [
    {
      order: 'ord_a',
      hold: hold.id,
      account: buyer.accountId,
      status: 'booked',
      places: [
        [0, 1, 1],
        [0, 2, 2],
      ],
    },
  ])
  const { places, sold } = await placesInRedis(house, saleId)
  t.same([places, sold], [{ '0:1': 's:ord_a', '0:2': 's:ord_a' }, 2])
  t.same((await sweep(shop)).forsaken, [], 'its record ends with its order')
})

t.test('every key of a sale is a known one and carries the tag of its slot', async (t) => {
  const shop = await openShop(house, { buyers: 1 })
  const known = saleKeys(shop.sale.id)
  const names = saleKeyNames.map((name) => known[name])
  for (const name of names) t.ok(name.startsWith(`{${shop.sale.id}}:`))
  const used = await house.redis.keys(`*${shop.sale.id}*`)
  for (const name of used) t.ok(names.includes(name), `${name} is a known key`)
})
