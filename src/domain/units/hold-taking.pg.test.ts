import t from 'tap'
import { useHouse } from '../../../test/support/house.ts'
import { makeAccount } from '../../../test/support/sales.ts'
import {
  at,
  makePeople,
  mustHold,
  newHoldId,
  openShop,
  placesInRedis,
  slots,
  nothingStands,
} from '../../../test/support/shop.ts'
import { tokenIdOf } from '../queue/queue-place.ts'
import { saleKeys } from '../sale-state/sale-keys.ts'
import { HoldTaking } from './hold-taking.ts'
import type { Want } from './hold.ts'

const house = await useHouse(t)
const { sql, holds, catalogue } = house
const one = (unitNo: number, quantity = 1): Want[] => [{ unitNo, quantity }]

t.test('of 200 who want the last 10 places at once, 10 get one each', async (t) => {
  const { sale, buyers } = await openShop(house, { buyers: 200, changes: slots(20) })
  const takings = await Promise.all(
    buyers.map((buyer) =>
      holds.take(sale.id, { ...buyer, holdId: newHoldId(sale.id), alternatives: [one(3)] }),
    ),
  )
  const held = takings.flatMap((taking) => ('hold' in taking ? taking.hold.places : []))
  t.same(
    held.map((place) => place.ordinal).toSorted((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
  const refused = takings.filter((taking) => 'taken' in taking)
  t.equal(refused.length, 190)
  t.same(refused[0], { taken: [3] }, 'who comes too late learns which unit it is')
  const { left, free } = await placesInRedis(house, sale.id)
  t.equal(left[3], 0)
  t.equal(free, 190)
})

t.test('all that is asked for is held, or nothing', async (t) => {
  const { sale, buyers } = await openShop(house, {
    buyers: 2,
    changes: slots(3),
    queue: { maxPerAccount: 20 },
  })
  const a = at(buyers, 0)
  const b = at(buyers, 1)
  await mustHold(house, { saleId: sale.id, buyer: a, wants: one(1, 9) })
  const before = await placesInRedis(house, sale.id)
  const wants = [...one(0, 2), ...one(1, 2), ...one(2, 2)]
  const taking = await holds.take(sale.id, { ...b, holdId: newHoldId(sale.id), alternatives: [wants] })
  t.same(taking, { taken: [1] })
  t.same(await placesInRedis(house, sale.id), before, 'nothing has changed')
  const other = await holds.take(sale.id, {
    ...b,
    holdId: newHoldId(sale.id),
    alternatives: [wants, one(2, 3)],
  })
  t.same(
    'hold' in other && other.hold.places.map(({ unitNo }) => unitNo),
    [2, 2, 2],
    'the next alternative is',
  )
})

t.test('a hold asked for again is the same hold, and nobody else can have it', async (t) => {
  const { sale, buyers } = await openShop(house, { buyers: 2 })
  const a = at(buyers, 0)
  const b = at(buyers, 1)
  const holdId = newHoldId(sale.id)
  const ask = () => mustHold(house, { saleId: sale.id, buyer: a, wants: one(0), holdId })
  const [first, ...again] = await Promise.all([ask(), ask(), ask()])
  for (const hold of again) t.same(hold, first)
  t.equal((await placesInRedis(house, sale.id)).free, 9)
  await t.rejects(mustHold(house, { saleId: sale.id, buyer: b, wants: one(0), holdId }), {
    code: 'hold_gone',
  })
  await t.rejects(holds.release(sale.id, { holdId, accountId: b.accountId }), { code: 'hold_gone' })
  await holds.release(sale.id, { holdId, accountId: a.accountId })
  t.equal((await placesInRedis(house, sale.id)).free, 10)
  await t.rejects(holds.release(sale.id, { holdId, accountId: a.accountId }), { code: 'hold_gone' })
})

t.test('only the account that was let in, into this sale, by this admission, may hold', async (t) => {
  const { sale, buyers, letIn } = await openShop(house, { buyers: 2 })
  const elsewhere = await openShop(house, { buyers: 1 })
  const a = at(buyers, 0)
  const b = at(buyers, 1)
  const foreign = at(elsewhere.buyers, 0)
  const refused = async (name: string, buyer: { accountId: string; sequence: number }) =>
    t.rejects(mustHold(house, { saleId: sale.id, buyer, wants: one(0) }), { code: 'admission_over' }, name)
  await refused('somebody who was never let in', {
    accountId: await makeAccount(sql),
    sequence: a.sequence,
  })
  await refused('the token of another account', { accountId: a.accountId, sequence: b.sequence })
  await refused('the token of another sale', foreign)
  await house.queue.leave(sale.id, a.accountId)
  await refused('a token that was given up', a)
  const again = at(await letIn([a.accountId]), 0)
  await refused('the token of an earlier admission', a)
  t.equal((await mustHold(house, { saleId: sale.id, buyer: again, wants: one(0) })).accountId, a.accountId)
})

t.test('a token ends at its time, whether or not anybody sweeps', async (t) => {
  const { sale, buyers } = await openShop(house, { buyers: 1, queue: { tokenTtlSeconds: 600 } })
  const a = at(buyers, 0)
  await house.passMs(sale.id, 540_000)
  await mustHold(house, { saleId: sale.id, buyer: a, wants: one(0) })
  await house.passMs(sale.id, 60_000)
  await t.rejects(mustHold(house, { saleId: sale.id, buyer: a, wants: one(0) }), { code: 'admission_over' })
})

t.test('nobody holds with an admission that is not durable yet', async (t) => {
  const { sale, buyers } = await openShop(house, { buyers: 1 })
  const a = at(buyers, 0)
  const keys = saleKeys(sale.id)
  const record = await house.redis.hget(keys.active, a.accountId)
  await house.redis.hset(keys.granting, a.accountId, record ?? '')
  await t.rejects(mustHold(house, { saleId: sale.id, buyer: a, wants: one(0) }), { code: 'admission_over' })
})

t.test('an account never holds more than it may, in however many holds and requests', async (t) => {
  const { sale, buyers } = await openShop(house, {
    buyers: 1,
    changes: slots(4),
    queue: { maxPerAccount: 4 },
  })
  const a = at(buyers, 0)
  const tries = await Promise.allSettled(
    Array.from({ length: 30 }, (_, index) =>
      mustHold(house, { saleId: sale.id, buyer: a, wants: one(index % 4, 1 + (index % 2)) }),
    ),
  )
  const got = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const nths = got.flatMap((hold) => hold.places.map((place) => place.nth))
  t.same(
    nths.toSorted((a, b) => a - b),
    [1, 2, 3, 4],
    'each place is another of the four',
  )
  for (const one of tries) if (one.status === 'rejected') t.match(one.reason, { code: 'limit_reached' })
  const first = at(got, 0)
  await holds.release(sale.id, { holdId: first.id, accountId: a.accountId })
  const quantity = first.places.length
  const next = await mustHold(house, { saleId: sale.id, buyer: a, wants: one(0, quantity) })
  t.same(
    next.places.map((place) => place.nth).toSorted((a, b) => a - b),
    first.places.map((place) => place.nth).toSorted((a, b) => a - b),
    'what was given back can be had again',
  )
})

t.test('nothing is held in a sale that is over', async (t) => {
  const { sale, buyers } = await openShop(house, { buyers: 1 })
  const a = at(buyers, 0)
  const hold = await mustHold(house, { saleId: sale.id, buyer: a, wants: one(0) })
  await house.redis.hset(saleKeys(sale.id).state, 'status', 'closed')
  await t.rejects(mustHold(house, { saleId: sale.id, buyer: a, wants: one(0) }), { code: 'sale_closed' })
  const pin = { holdId: hold.id, accountId: a.accountId, orderId: 'ord_x' }
  await t.rejects(holds.pin(sale.id, pin), { code: 'sale_closed' })
})

t.test('the best seats go to the one who asks, and never to two', async (t) => {
  const hall = {
    priceClasses: [{ name: 'Regular', priceMinor: 1000 }],
    sections: [{ code: 'A', rows: 6, seatsPerRow: 10, priceClass: 'Regular' }],
  }
  const { sale, buyers } = await openShop(house, { buyers: 40, changes: { hall } })
  const units = await catalogue.units(sale.id)
  const freePlaces = async () => {
    const { left } = await placesInRedis(house, sale.id)
    return (unitNo: number) => left[unitNo] ?? 0
  }
  const taking = new HoldTaking({ holds, freePlaces, standing: nothingStands, random: Math.random })
  const tries = await Promise.allSettled(
    buyers.map(({ accountId, sequence }) =>
      taking.take(
        {
          sale,
          holdId: newHoldId(sale.id),
          holder: { accountId, jti: tokenIdOf(sequence) },
          request: { best: { count: 2 } },
        },
        units,
      ),
    ),
  )
  const pairs = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value.places] : []))
  const seats = pairs.flat().map((place) => place.unitNo)
  t.equal(new Set(seats).size, seats.length, 'no seat was given twice')
  for (const [left, right] of pairs) t.equal((left?.unitNo ?? 0) + 1, right?.unitNo, 'side by side')
  t.ok(pairs.length > 10, `a crowd is served (${pairs.length})`)
  for (const one of tries) if (one.status === 'rejected') t.match(one.reason, { code: 'none_together' })
})

t.test('a request for what is not there is refused before Redis is asked', async (t) => {
  const { sale } = await openShop(house, { buyers: 0 })
  const units = await catalogue.units(sale.id)
  const taking = new HoldTaking({
    holds,
    freePlaces: async () => () => 1,
    standing: nothingStands,
    random: Math.random,
  })
  const [accountId = ''] = await makePeople(sql, 1)
  const ask = (units_: { unit: string; quantity?: number }[], jti = tokenIdOf(1)) =>
    taking.take(
      {
        sale,
        holdId: newHoldId(sale.id),
        holder: { accountId, jti },
        request: { units: units_ },
      },
      units,
    )
  const [code = ''] = units.codes
  await t.rejects(ask([{ unit: 'nowhere' }]), {
    code: 'no_such_unit',
    options: { extra: { units: ['nowhere'] } },
  })
  const often = [
    { unit: code, quantity: 6 },
    { unit: code, quantity: 5 },
  ]
  await t.rejects(ask(often), { code: 'beyond_capacity' }, 'a unit named twice counts twice')
  await t.rejects(ask([{ unit: code }], '!'), { code: 'admission_over' })
  await t.rejects(ask([{ unit: code }]), { code: 'admission_over' })
})
