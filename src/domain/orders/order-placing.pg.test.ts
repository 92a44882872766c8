import t from 'tap'
import { outboxOf } from '../../../test/support/order-fixtures.ts'
import { useHouse } from '../../../test/support/house.ts'
import { bookPlaces } from '../../../test/support/sales.ts'
import {
  at,
  mustHold,
  newHoldId,
  openShop,
  placesInPostgres,
  placesInRedis,
  slots,
  type Shop,
  nothingStands,
} from '../../../test/support/shop.ts'
import { rebuildSale } from '../sale-state/sale-rebuilding.ts'
import { settingsOf } from '../queue/admission-gate.ts'
import { randomIds } from '../../ids.ts'
import { sweepHolds } from './hold-sweeping.ts'
import { orderCommitter, type OrderDraft, type OrderFate } from './order-commit.ts'
import { mustFindOrder } from './order-store.ts'
import { OrderPlacing, orderIdOfHold, type OrderPlacingOptions } from './order-placing.ts'

const house = await useHouse(t)
const { sql, holds, sync, catalogue } = house
const committer = orderCommitter(sql)
const noPlaces = { status: 'abandoned', places: [] }
const woken: string[] = []
/** One try, as long as it takes. */
const atOnce: OrderPlacingOptions['saving'] = { save: (_order, attempt) => attempt(() => {}) }
const placingWith = (add: (draft: OrderDraft) => Promise<OrderFate>) =>
  new OrderPlacing({
    sql,
    holds,
    sync,
    catalogue,
    saving: atOnce,
    standing: nothingStands,
    committer: { add },
    ids: randomIds,
    takesMethod: (method) => method === 'card',
    wakePayments: () => woken.push('payments'),
  })
const placing = placingWith((draft) => committer.add(draft))
const shopOf = (options: { buyers?: number; priceMinor?: number; queue?: Record<string, number> } = {}) => {
  const { buyers = 1, priceMinor = 0, queue = {} } = options
  return openShop(house, {
    buyers,
    changes: slots(2, 5, priceMinor),
    queue: { holdTtlSeconds: 60, ...queue },
  })
}
const holdIn = (shop: Shop, who = 0, quantity = 1) =>
  mustHold(house, { saleId: shop.sale.id, buyer: at(shop.buyers, who), wants: [{ unitNo: 0, quantity }] })
const rebuild = ({ sale, writership: { fence } }: Shop) =>
  rebuildSale({
    sql,
    state: house.state,
    saleId: sale.id,
    fence,
    settings: settingsOf(sale),
    restoreMs: 0,
    replay: (id, after) => sync.replay(id, after),
  })
const bothPictures = (saleId: string) =>
  Promise.all([placesInRedis(house, saleId), placesInPostgres(sql, saleId)])

t.test('what was answered with success is there after all of Redis is lost', async (t) => {
  const shop = await shopOf({ buyers: 3 })
  const orders = []
  for (const who of [0, 1, 2]) {
    const hold = await holdIn(shop, who)
    orders.push((await placing.place({ holdId: hold.id, accountId: hold.accountId })).order)
  }
  t.ok(orders.every((order) => order.status === 'booked'))
  const before = await placesInRedis(house, shop.sale.id)
  await house.redis.flushall()
  await rebuild(shop)
  t.same(await placesInRedis(house, shop.sale.id), before)
  const [redis, postgres] = await bothPictures(shop.sale.id)
  t.same(redis, postgres)
  t.equal(redis.sold, 3)
})

t.test('a new order is answered as it is read afterwards', async (t) => {
  for (const priceMinor of [0, 100]) {
    const shop = await shopOf({ buyers: 1, priceMinor })
    const { accountId } = at(shop.buyers, 0)
    const hold = await mustHold(house, {
      saleId: shop.sale.id,
      buyer: at(shop.buyers, 0),
      wants: [
        { unitNo: 1, quantity: 1 },
        { unitNo: 0, quantity: 2 },
      ],
    })
    const { order } = await placing.place({ holdId: hold.id, accountId, method: 'card' })
    t.equal(order.bookings.length, 3)
    t.same(order, await mustFindOrder(sql, { orderId: order.id, accountId }))
  }
})

t.test(
  'a hold that was pinned for its order is not pinned again, unless it has to be tried again',
  async (t) => {
    const shop = await shopOf()
    const { saleId, buyer } = { saleId: shop.sale.id, buyer: at(shop.buyers, 0) }
    const holdId = newHoldId(saleId)
    const taking = await holds.take(saleId, {
      ...buyer,
      holdId,
      alternatives: [[{ unitNo: 0, quantity: 1 }]],
      orderId: orderIdOfHold(holdId),
    })
    if (!('hold' in taking)) throw new Error('nothing was held')
    const { accountId } = buyer
    const { order, created } = await placing.place({ holdId, accountId }, taking.hold)
    t.match([order, created], [{ status: 'booked' }, true])
    t.same(await placing.place({ holdId, accountId }, taking.hold), { order, created: false })
    const [redis, postgres] = await bothPictures(saleId)
    t.same(redis, postgres)
  },
)

t.test('ordering the same hold again, at once or later, gives the same order', async (t) => {
  const shop = await shopOf()
  const hold = await holdIn(shop, 0, 2)
  const asked = { holdId: hold.id, accountId: hold.accountId }
  const answers = await Promise.all(Array.from({ length: 8 }, () => placing.place(asked)))
  answers.push(await placing.place(asked))
  t.equal(answers.filter((answer) => answer.created).length, 1)
  for (const { order } of answers) t.same(order, at(answers, 0).order)
  t.equal(at(answers, 0).order.bookings.length, 2)
  const [redis, postgres] = await bothPictures(shop.sale.id)
  t.same(redis, postgres)
})

t.test('an order outlives the hold, the token and the sale', async (t) => {
  const shop = await shopOf()
  const hold = await holdIn(shop)
  const asked = { holdId: hold.id, accountId: hold.accountId }
  const { order } = await placing.place(asked)
  await house.passMs(shop.sale.id, 3_600_000)
  await shop.gate.tick()
  t.same((await placing.place(asked)).order, order)
  await house.redis.flushall()
  await rebuild(shop)
  t.same((await placing.place(asked)).order, order)
})

t.test('a hold that ended, one of somebody else and one that never was make no order', async (t) => {
  const shop = await shopOf({ buyers: 2 })
  const hold = await holdIn(shop)
  const other = at(shop.buyers, 1).accountId
  await t.rejects(placing.place({ holdId: hold.id, accountId: other }), { code: 'hold_gone' })
  await house.passMs(shop.sale.id, 60_000)
  await t.rejects(placing.place({ holdId: hold.id, accountId: hold.accountId }), { code: 'hold_gone' })
  const bad = ['', 'hol_x', `hol_${'a'.repeat(20)}`, `hol_${'A'.repeat(40)}`, `${hold.id}x`]
  for (const holdId of bad) {
    await t.rejects(placing.place({ holdId, accountId: other }), { code: 'hold_gone' }, `"${holdId}"`)
  }
  const unknown = `hol_${'a'.repeat(40)}`
  await t.rejects(placing.place({ holdId: unknown, accountId: other }), { code: 'no_such_sale' })
})

t.test('another account learns nothing of an order from the hold it was made of', async (t) => {
  const shop = await shopOf({ buyers: 2 })
  const hold = await holdIn(shop)
  await placing.place({ holdId: hold.id, accountId: hold.accountId })
  const other = at(shop.buyers, 1).accountId
  await t.rejects(placing.place({ holdId: hold.id, accountId: other }), { code: 'hold_gone' })
})

t.test(
  'a place that Redis believed free and PostgreSQL has sold is not sold twice, and Redis learns',
  async (t) => {
    const shop = await shopOf({ buyers: 2 })
    const hold = await holdIn(shop, 0, 2)
    // A booking of which Redis never heard.
    await bookPlaces(sql, { sale: shop.sale, unitNo: 0, ordinals: [2] })
    const asked = { holdId: hold.id, accountId: hold.accountId }
    await t.rejects(placing.place(asked), {
      code: 'unit_taken',
      options: { extra: { units: ['2026-12-01T00:00'] } },
    })
    const [redis, postgres] = await bothPictures(shop.sale.id)
    t.same(redis, { ...postgres, bought: redis.bought })
    t.equal(redis.places['0:1'], undefined, 'the place that was free is free again')
    const next = await holdIn(shop, 1, 2)
    t.same(
      next.places.map((place) => place.ordinal),
      [1, 3],
    )
    t.equal((await placing.place({ holdId: next.id, accountId: next.accountId })).order.status, 'booked')
  },
)

t.test('of what costs something the payment begins with the order', async (t) => {
  const shop = await shopOf({ priceMinor: 700 })
  const hold = await holdIn(shop, 0, 2)
  const asked = { holdId: hold.id, accountId: hold.accountId }
  await t.rejects(placing.place(asked), { code: 'payment_method_unknown' })
  await t.rejects(placing.place({ ...asked, method: 'shells' }), { code: 'payment_method_unknown' })
  t.equal((await placesInRedis(house, shop.sale.id)).places['0:1'], `h:${hold.id}`, 'nothing was pinned')
  woken.length = 0
  const { order } = await placing.place({ ...asked, method: 'card' })
  t.match(order, { status: 'pending', total: { amountMinor: 1400, currency: 'KRW' } })
  t.same(woken, ['payments'])
  const [redis, postgres] = await bothPictures(shop.sale.id)
  t.same(redis, postgres)
  t.same(redis.places, { '0:1': `p:${order.id}`, '0:2': `p:${order.id}` })
  await rebuild(shop)
  t.same(
    await placesInRedis(house, shop.sale.id),
    redis,
    'a place that waits for its payment is kept through a loss',
  )
})

t.test('as long as somebody tries to write an order its places are kept', async (t) => {
  const shop = await shopOf()
  const hold = await holdIn(shop, 0, 4)
  const failing = placingWith(() => Promise.reject(new Error('PostgreSQL is away')))
  const asked = { holdId: hold.id, accountId: hold.accountId }
  for (let tries = 0; tries < 4; tries++) {
    await t.rejects(failing.place(asked), { message: 'PostgreSQL is away' })
    await house.passMs(shop.sale.id, 4000)
    await sweepHolds({ sql, holds, sync }, shop.writership)
    t.equal((await placesInRedis(house, shop.sale.id)).free, 6)
  }
  t.match(await placing.place(asked), { created: true, order: { status: 'booked' } })
})

t.test('a process that died between pin and commit keeps nobody from the places', async (t) => {
  const shop = await shopOf({ buyers: 2 })
  const hold = await holdIn(shop, 0, 4)
  let late: OrderDraft | undefined
  const dying = placingWith(async (draft) => {
    late = draft
    throw new Error('the process died')
  })
  await t.rejects(dying.place({ holdId: hold.id, accountId: hold.accountId }), {
    message: 'the process died',
  })
  const sweep = () => sweepHolds({ sql, holds, sync }, shop.writership)
  await house.passMs(shop.sale.id, 4000)
  await sweep()
  t.equal((await placesInRedis(house, shop.sale.id)).free, 6, 'it may only be slow')
  await house.passMs(shop.sale.id, 6000)
  await sweep()
  const { free, accounts } = await placesInRedis(house, shop.sale.id)
  t.equal(free, 10)
  t.same(accounts, {})
  if (late === undefined) throw new Error('there was a draft')
  t.match(await committer.add(late), { fate: 'exists' }, 'the commit that comes after all finds its id used')
  const rows = await sql`select status from orders where id = ${late.orderId}`
  t.same(rows, [{ status: 'abandoned' }])
  t.same(await outboxOf(sql, late.orderId), [{ ...noPlaces, order: late.orderId, account: hold.accountId }])
  t.match(await mustFindOrder(sql, late), { status: 'abandoned', bookings: [] })
  t.equal((await sql`select 1 from bookings where order_id = ${late.orderId}`).length, 0)
  const again = { holdId: hold.id, accountId: hold.accountId }
  await t.rejects(placing.place(again), { code: 'hold_gone' }, 'an abandoned order is shown to nobody')
  t.ok(await holdIn(shop, 1, 4))
})

t.test('the late commit of an abandoned order is answered as one whose hold is gone', async (t) => {
  const shop = await shopOf()
  const hold = await holdIn(shop)
  const slow = placingWith(async (draft) => {
    await house.passMs(shop.sale.id, 10_000)
    await sweepHolds({ sql, holds, sync }, shop.writership)
    return await committer.add(draft)
  })
  await t.rejects(slow.place({ holdId: hold.id, accountId: hold.accountId }), { code: 'hold_gone' })
  const [redis, postgres] = await bothPictures(shop.sale.id)
  t.same(redis, postgres)
  t.equal(redis.free, 10)
})

t.test('a process that died after the commit has sold what it sold', async (t) => {
  const shop = await shopOf()
  const hold = await holdIn(shop)
  const dying = placingWith(async (draft) => {
    await committer.add(draft)
    throw new Error('the process died')
  })
  await t.rejects(dying.place({ holdId: hold.id, accountId: hold.accountId }))
  t.equal((await placesInRedis(house, shop.sale.id)).sold, 0)
  await house.passMs(shop.sale.id, 10_000)
  await sweepHolds({ sql, holds, sync }, shop.writership)
  const [redis, postgres] = await bothPictures(shop.sale.id)
  t.same(redis, postgres)
  t.same(redis.places, { '0:1': `s:${orderIdOfHold(hold.id)}` })
  t.match(await placing.place({ holdId: hold.id, accountId: hold.accountId }), {
    created: false,
    order: { status: 'booked' },
  })
})

t.test('a hold that takes the name of an earlier one gives back what it took', async (t) => {
  const shop = await shopOf({ queue: { maxPerAccount: 4 } })
  const { saleId, buyer } = { saleId: shop.sale.id, buyer: at(shop.buyers, 0) }
  const first = await holdIn(shop)
  const { order } = await placing.place({ holdId: first.id, accountId: buyer.accountId })
  // As when a request is repeated after its answer, and the record of its hold, are gone.
  const taking = await holds.take(saleId, {
    holdId: first.id,
    accountId: buyer.accountId,
    sequence: buyer.sequence,
    alternatives: [[{ unitNo: 1, quantity: 1 }]],
  })
  t.ok('hold' in taking)
  const again = await placing.place({ holdId: first.id, accountId: buyer.accountId })
  t.equal(again.created, false)
  t.equal(again.order.id, order.id)
  const [redis, postgres] = await bothPictures(saleId)
  t.same(redis, postgres, 'nothing is taken that was not sold')
})

t.test('while Redis has forgotten the sale the order that stands is still found', async (t) => {
  const shop = await shopOf()
  const hold = await holdIn(shop)
  const { order } = await placing.place({ holdId: hold.id, accountId: hold.accountId })
  await house.redis.flushall()
  const found = await placing.place({ holdId: hold.id, accountId: hold.accountId })
  t.same([found.order.id, found.created], [order.id, false])
  const unknown = `hol_${'0'.repeat(20)}${shop.sale.id.slice(4)}`
  await t.rejects(placing.place({ holdId: unknown, accountId: hold.accountId }), { code: 'restoring' })
})

t.test(
  'an order that was expired meanwhile leaves its place to others when the sweep finds it',
  async (t) => {
    const shop = await shopOf({ priceMinor: 100 })
    const hold = await holdIn(shop)
    const dying = placingWith(async (draft) => {
      await committer.add(draft)
      throw new Error('the process died')
    })
    await t.rejects(dying.place({ holdId: hold.id, accountId: hold.accountId, method: 'card' }))
    const orderId = orderIdOfHold(hold.id)
    await sql`update bookings set status = 'released' where order_id = ${orderId}`
    await sql`update orders set status = 'expired' where id = ${orderId}`
    await house.passMs(shop.sale.id, 10_000)
    await sweepHolds({ sql, holds, sync }, shop.writership)
    const [redis, postgres] = await bothPictures(shop.sale.id)
    t.same(redis, postgres)
  },
)
