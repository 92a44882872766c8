import fc from 'fast-check'
import t from 'tap'
import { useHouse } from '../../../test/support/house.ts'
import {
  at,
  draftOf,
  mustHold,
  openShop,
  placesInPostgres,
  placesInRedis,
  slots,
  withHolds,
} from '../../../test/support/shop.ts'
import type { OutboxPosition } from '../../db/outbox.ts'
import { until } from '../../../test/support/until.ts'
import { orderCommitter } from '../orders/order-commit.ts'
import { sweepHolds } from '../orders/hold-sweeping.ts'
import { cancelOrder } from '../orders/order-cancelling.ts'
import { noHurry } from '../orders/order-outbox.ts'
import { orderIdOfHold } from '../orders/order-placing.ts'
import type { PlacesChange } from './hold-store.ts'
import { placeTuple, type Hold } from './hold.ts'
import { placesChange, type OrderEntryBody } from './unit-sync.ts'

const house = await useHouse(t)
const { sql, holds, sync } = house
const committer = orderCommitter(sql)
/** Pins and commits, and tells Redis nothing of the commit. */
const order = async (saleId: string, hold: Hold, kind: 'free' | 'paid' = 'free') => {
  const orderId = orderIdOfHold(hold.id)
  await holds.pin(saleId, { holdId: hold.id, accountId: hold.accountId, orderId })
  const { fate } = await committer.add(draftOf(saleId, { ...hold, orderId, holdId: hold.id }, kind))
  if (fate !== 'placed') throw new Error(`the order is ${fate}`)
  return { orderId, accountId: hold.accountId }
}
/** Pays as the provider's answer would. */
const pay = async (saleId: string, { orderId, accountId }: { orderId: string; accountId: string }) => {
  await sql`update orders set status = 'booked' where id = ${orderId}`
  await sql`update payments set state = 'approved' where order_id = ${orderId}`
  const places = await sql<{ unit_no: number; ordinal: number; nth: number }[]>`
    update bookings set status = 'booked' where order_id = ${orderId} returning unit_no, ordinal, nth`
  const tuples = places.map((place) => [place.unit_no, place.ordinal, place.nth])
  const body = JSON.stringify({ order: orderId, account: accountId, status: 'booked', places: tuples })
  await sql`insert into outbox (sale_id, topic, body) values (${saleId}, 'order', ${body}::text::jsonb)`
}
const cancel = (one: { orderId: string; accountId: string }) => cancelOrder(sql, one, noHurry)
/** What was written about a sale, oldest first. */
const messages = async (saleId: string): Promise<PlacesChange[]> => {
  // Not by readOutbox, which waits for whatever else happens in this PostgreSQL.
  const rows = await sql<{ body: OrderEntryBody }[]>`
    select body from outbox where sale_id = ${saleId} and topic = 'order' order by xid, id`
  return rows.flatMap((row) => placesChange(row.body))
}
const shopOf = (buyers: number) =>
  openShop(house, { buyers, changes: slots(2, 3), queue: { maxPerAccount: 3 } })
/** An order that lived its whole life: pending, booked, free. Redis was told of none of it. */
const wholeLife = async () => {
  const shop = await shopOf(2)
  const saleId = shop.sale.id
  const buyer = at(shop.buyers, 0)
  const next = at(shop.buyers, 1)
  const hold = await mustHold(house, { saleId, buyer, wants: [{ unitNo: 0, quantity: 2 }] })
  const made = await order(saleId, hold, 'paid')
  await pay(saleId, made)
  await cancel(made)
  const told = await messages(saleId)
  t.same(
    told.map(({ status }) => status),
    ['pending', 'booked', 'free'],
  )
  return { saleId, next, made, hold, told }
}
const permutations = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
]
const pictures = async (saleId: string) =>
  await Promise.all([placesInRedis(house, saleId), placesInPostgres(sql, saleId)])

t.test('the messages of an order may come in any sequence, each of them twice', async (t) => {
  for (const sequence of permutations) {
    const { saleId, told } = await wholeLife()
    for (const index of [...sequence, ...sequence])
      await sync.apply(
        saleId,
        [told[index]].flatMap((it) => it ?? []),
      )
    const [redis, postgres] = await pictures(saleId)
    t.same(redis, postgres, `in the sequence ${sequence.join(' ')}`)
  }
})

t.test('late messages of an order leave a place alone that was sold again', async (t) => {
  for (const sequence of permutations) {
    const { saleId, next, told } = await wholeLife()
    for (const change of told) await sync.apply(saleId, [change])
    const again = await order(
      saleId,
      await mustHold(house, { saleId, buyer: next, wants: [{ unitNo: 0, quantity: 2 }] }),
    )
    await sync.apply(saleId, (await messages(saleId)).slice(-1))
    for (const index of sequence)
      await sync.apply(
        saleId,
        [told[index]].flatMap((it) => it ?? []),
      )
    const [redis, postgres] = await pictures(saleId)
    t.same(redis, postgres)
    t.equal(redis.places['0:1'], `s:${again.orderId}`)
  }
})

t.test('a late message does not take a place from somebody who holds it meanwhile', async (t) => {
  const { saleId, next, told } = await wholeLife()
  for (const change of told) await sync.apply(saleId, [change])
  const hold = await mustHold(house, { saleId, buyer: next, wants: [{ unitNo: 0, quantity: 2 }] })
  const before = await placesInRedis(house, saleId)
  for (const change of told.toReversed()) await sync.apply(saleId, [change])
  t.same(await placesInRedis(house, saleId), before)
  t.equal(before.places['0:1'], `h:${hold.id}`)
})

t.test('told twice is told once', async (t) => {
  const shop = await shopOf(1)
  const saleId = shop.sale.id
  const buyer = at(shop.buyers, 0)
  await order(saleId, await mustHold(house, { saleId, buyer, wants: [{ unitNo: 1, quantity: 2 }] }))
  const booked = at(await messages(saleId), 0)
  await Promise.all(Array.from({ length: 5 }, () => sync.apply(saleId, [booked, booked])))
  const [redis, postgres] = await pictures(saleId)
  t.same(redis, postgres)
  t.same(redis.bought, { [buyer.accountId]: 2 })
})

t.test('a place that Redis gave to somebody else goes back to the order that has it', async (t) => {
  const shop = await shopOf(2)
  const saleId = shop.sale.id
  const buyer = at(shop.buyers, 0)
  const other = at(shop.buyers, 1)
  const made = await order(
    saleId,
    await mustHold(house, { saleId, buyer, wants: [{ unitNo: 0, quantity: 1 }] }),
  )
  // As after the loss of a second of Redis' life that nobody noticed.
  const wrong = {
    order: made.orderId,
    account: buyer.accountId,
    status: 'free' as const,
    places: [[0, 1, 1] as const],
  }
  await holds.apply(saleId, [wrong])
  const hold = await mustHold(house, { saleId, buyer: other, wants: [{ unitNo: 0, quantity: 1 }] })
  t.same(hold.places.map(placeTuple), [[0, 1, 1]])
  await sync.apply(saleId, await messages(saleId))
  t.equal((await placesInRedis(house, saleId)).places['0:1'], `s:${made.orderId}`)
  const late = orderIdOfHold(hold.id)
  await holds.pin(saleId, { holdId: hold.id, accountId: other.accountId, orderId: late })
  const { fate } = await committer.add(draftOf(saleId, { ...hold, orderId: late, holdId: hold.id }))
  t.equal(fate, 'taken', 'PostgreSQL decides last')
})

t.test('a replay brings what was written after a position, of this sale only', async (t) => {
  const [one, two] = [await shopOf(1), await shopOf(1)]
  for (const { sale, buyers } of [one, two]) {
    for (const unitNo of [0, 1]) {
      const asked = { saleId: sale.id, buyer: at(buyers, 0), wants: [{ unitNo, quantity: 1 }] }
      await order(sale.id, await mustHold(house, asked))
    }
  }
  const owners = async (saleId: string) =>
    Object.values((await placesInRedis(house, saleId)).places).map((owner) => owner.slice(0, 2))
  const rows = await sql<OutboxPosition[]>`
    select xid::text as xid, id from outbox where sale_id = ${one.sale.id} and topic = 'order' order by xid, id`
  await until('all of it can be read', async () => {
    await sync.replay(one.sale.id, at(rows, 0))
    return (await owners(one.sale.id)).includes('s:')
  })
  t.same(await owners(one.sale.id), ['p:', 's:'], 'the second order, not the first')
  t.same(await owners(two.sale.id), ['p:', 'p:'])
  await sync.replay(one.sale.id, { xid: '0', id: 0 })
  const [redis, postgres] = await pictures(one.sale.id)
  t.same(redis, postgres)
})

t.test('a pin that nobody followed up takes nothing from what its account has since', async (t) => {
  const { sale, buyers, writership } = await shopOf(1)
  const buyer = at(buyers, 0)
  const hold = () => mustHold(house, { saleId: sale.id, buyer, wants: [{ unitNo: 0, quantity: 2 }] })
  await cancel(await order(sale.id, await hold()))
  await sync.apply(sale.id, (await messages(sale.id)).slice(-1))
  const again = await hold()
  await house.passMs(sale.id, 11_000)
  await sweepHolds({ sql, holds, sync }, writership)
  t.same(await placesInRedis(house, sale.id), withHolds(await placesInPostgres(sql, sale.id), [again]))
})

t.test('whatever buyers do and however it is told, Redis ends where PostgreSQL is', async (t) => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('hold' as const),
        who: fc.nat(2),
        unitNo: fc.nat(1),
        quantity: fc.integer({ min: 1, max: 2 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat(9) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('order' as const),
        which: fc.nat(9),
        kind: fc.constantFrom('free' as const, 'paid' as const),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pay' as const), which: fc.nat(9) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(9) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('tell' as const), which: fc.nat(30) }) },
  )
  const run = async (steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]) => {
    const { sale, buyers, writership } = await shopOf(3)
    const open: Hold[] = []
    const orders: { orderId: string; accountId: string; state: 'paid' | 'free' | 'done' }[] = []
    for (const it of steps) {
      if (it.do === 'hold') {
        const buyer = buyers[it.who]
        const asked = { saleId: sale.id, buyer: buyer ?? { accountId: '', sequence: 0 }, wants: [it] }
        const hold = await mustHold(house, asked).catch(() => undefined)
        if (hold) open.push(hold)
      } else if (it.do === 'release') {
        const [hold] = open.splice(it.which % Math.max(1, open.length), 1)
        if (hold) await holds.release(sale.id, { holdId: hold.id, accountId: hold.accountId })
      } else if (it.do === 'order') {
        const [hold] = open.splice(it.which % Math.max(1, open.length), 1)
        if (hold) orders.push({ ...(await order(sale.id, hold, it.kind)), state: it.kind })
      } else if (it.do === 'sweep') {
        await house.passMs(sale.id, 11_000)
        await sweepHolds({ sql, holds, sync }, writership)
      } else if (it.do === 'tell') {
        const all = await messages(sale.id)
        await sync.apply(
          sale.id,
          [all[it.which % all.length]].flatMap((one) => one ?? []),
        )
      } else {
        const one = orders[it.which % Math.max(1, orders.length)]
        if (it.do === 'pay' && one?.state === 'paid') {
          await pay(sale.id, one)
          one.state = 'free'
        } else if (it.do === 'cancel' && one && one.state !== 'done') {
          await cancel(one)
          one.state = 'done'
        }
      }
    }
    for (const change of await messages(sale.id)) await sync.apply(sale.id, [change])
    const redis = await placesInRedis(house, sale.id)
    const expected = withHolds(await placesInPostgres(sql, sale.id), open)
    if (JSON.stringify(redis) !== JSON.stringify(expected)) {
      throw new Error(`${JSON.stringify(redis)}\n is not ${JSON.stringify(expected)}`)
    }
  }
  const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), run)
  await t.resolves(fc.assert(property, { numRuns: 30 }))
})
