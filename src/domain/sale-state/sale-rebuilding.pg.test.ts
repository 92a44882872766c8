import fc from 'fast-check'
import t from 'tap'
import { readOutbox, type OutboxPosition } from '../../db/outbox.ts'
import { useHouse } from '../../../test/support/house.ts'
import { bookPlaces, makeSale } from '../../../test/support/sales.ts'
import {
  at,
  draftOf,
  makePeople,
  mustHold,
  openShop,
  placesInPostgres,
  placesInRedis,
  slots,
  type Shop,
} from '../../../test/support/shop.ts'
import { until } from '../../../test/support/until.ts'
import { orderCommitter } from '../orders/order-commit.ts'
import { settingsOf } from '../queue/admission-gate.ts'
import { AdmissionTicks } from '../queue/admission-ticks.ts'
import type { Hold } from '../units/hold.ts'
import { rebuildSale, type RebuildOptions } from './sale-rebuilding.ts'
import { FencedError } from './sale-failures.ts'
import { saleKeyNames, saleKeys } from './sale-keys.ts'
import { becomeWriter } from './sale-writer.ts'

const house = await useHouse(t)
const { sql, state, sync, holds } = house
const committer = orderCommitter(sql)
const rebuild = (
  { sale, writership: { fence } }: Pick<Shop, 'sale' | 'writership'>,
  options: Partial<RebuildOptions> = {},
) =>
  rebuildSale({
    sql,
    state,
    saleId: sale.id,
    fence,
    settings: settingsOf(sale),
    restoreMs: 0,
    replay: (id, after) => sync.replay(id, after),
    ...options,
  })
/** An entry is shown when no transaction is older, of whatever database; that of another test may take its time. */
const untilOutboxShowsOrder = (saleId: string, after: OutboxPosition) =>
  until('the outbox shows the order that is committed', async () => {
    const rows = await readOutbox(sql, { after, limit: 100, saleId })
    return rows.some(({ topic }) => topic === 'order')
  })
const pictures = (saleId: string) =>
  Promise.all([placesInRedis(house, saleId), placesInPostgres(sql, saleId)])

t.test('a rebuilt state is the one that was lost, whatever had happened to it', async (t) => {
  const step = fc.record({
    who: fc.nat(3),
    unitNo: fc.nat(2),
    quantity: fc.integer({ min: 1, max: 3 }),
    fate: fc.constantFrom('hold', 'release', 'book', 'reserve', 'book and cancel'),
  })
  const run = async (steps: readonly { who: number; unitNo: number; quantity: number; fate: string }[]) => {
    const shop = await openShop(house, { buyers: 4, changes: slots(3, 6), queue: { maxPerAccount: 8 } })
    const saleId = shop.sale.id
    const open: Hold[] = []
    for (const { who, unitNo, quantity, fate } of steps) {
      const wants = [{ unitNo, quantity }]
      const hold = await mustHold(house, { saleId, buyer: at(shop.buyers, who), wants }).catch(
        () => undefined,
      )
      if (hold === undefined) continue
      if (fate === 'hold') open.push(hold)
      if (fate === 'release') await holds.release(saleId, { holdId: hold.id, accountId: hold.accountId })
      if (fate === 'hold' || fate === 'release') continue
      const draft = draftOf(saleId, { ...hold, holdId: hold.id }, fate === 'reserve' ? 'paid' : 'free')
      const { orderId } = draft
      await holds.pin(saleId, { holdId: hold.id, accountId: hold.accountId, orderId })
      await committer.add(draft)
      const places = hold.places.map((place) => [place.unitNo, place.ordinal, place.nth] as const)
      const change = { order: orderId, hold: hold.id, account: hold.accountId, places }
      await sync.apply(saleId, [{ ...change, status: fate === 'reserve' ? 'pending' : 'booked' }])
      if (fate !== 'book and cancel') continue
      await sql`update bookings set status = 'cancelled' where order_id = ${orderId}`
      await sync.apply(saleId, [{ ...change, status: 'free' }])
    }
    for (const hold of open) await holds.release(saleId, { holdId: hold.id, accountId: hold.accountId })
    const before = await placesInRedis(house, saleId)
    await house.redis.del(saleKeyNames.map((name) => saleKeys(saleId)[name]))
    await rebuild(shop)
    const [redis, postgres] = await pictures(saleId)
    for (const [name, other] of Object.entries({ before, postgres })) {
      if (JSON.stringify(redis) === JSON.stringify(other)) continue
      throw new Error(`${JSON.stringify(redis)}\n is not ${name}: ${JSON.stringify(other)}`)
    }
  }
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), run)
  await t.resolves(fc.assert(property, { numRuns: 15 }))
})

t.test('holds without an order end with the loss, those with one are kept', async (t) => {
  const shop = await openShop(house, { buyers: 2 })
  const saleId = shop.sale.id
  const loose = await mustHold(house, {
    saleId,
    buyer: at(shop.buyers, 0),
    wants: [{ unitNo: 0, quantity: 2 }],
  })
  const sold = await mustHold(house, {
    saleId,
    buyer: at(shop.buyers, 1),
    wants: [{ unitNo: 0, quantity: 1 }],
  })
  const draft = draftOf(saleId, { ...sold, holdId: sold.id })
  await holds.pin(saleId, { holdId: sold.id, accountId: sold.accountId, orderId: draft.orderId })
  await committer.add(draft)
  await rebuild(shop)
  const [redis, postgres] = await pictures(saleId)
  t.same(redis, postgres)
  t.same(redis.places, { '0:3': `s:${draft.orderId}` })
  await t.rejects(
    holds.pin(saleId, { holdId: loose.id, accountId: loose.accountId, orderId: 'ord_x' }),
    { code: 'hold_gone' },
    'what is no longer held cannot be ordered',
  )
})

t.test('a Redis with wrong counts of another time is not believed', async (t) => {
  const shop = await openShop(house, { buyers: 1 })
  const { sale } = shop
  await bookPlaces(sql, { sale, unitNo: 0, ordinals: [1, 2, 3, 4, 5, 6, 7, 8, 9] })
  t.equal((await placesInRedis(house, sale.id)).free, 10, 'Redis has heard of none of these')
  await rebuild(shop)
  const [redis, postgres] = await pictures(sale.id)
  t.same(redis, postgres)
  const take = (quantity: number) => {
    const [buyer, wants] = [at(shop.buyers, 0), [{ unitNo: 0, quantity }]]
    return mustHold(house, { saleId: sale.id, buyer, wants })
  }
  await t.rejects(take(2), { message: 'taken: 0' })
  t.same(
    (await take(1)).places.map((place) => place.ordinal),
    [10],
  )
})

t.test('what is committed while the state is rebuilt is there when it is open', async (t) => {
  const shop = await openShop(house, { buyers: 0, changes: slots(1, 10) })
  const saleId = shop.sale.id
  const accountId = at(await makePeople(sql, 1), 0)
  const late = draftOf(saleId, { accountId, places: [{ unitNo: 0, ordinal: 4, nth: 1 }] })
  await rebuild(shop, {
    replay: async (id, after) => {
      // After the tables were read and before the outbox is.
      await committer.add(late)
      await untilOutboxShowsOrder(saleId, after)
      await sync.replay(id, after)
    },
  })
  const [redis, postgres] = await pictures(saleId)
  t.same(redis.places, { '0:4': `s:${late.orderId}` })
  t.same(redis, postgres)
})

t.test('a rebuild that is cut off when the state is open is finished by whoever writes next', async (t) => {
  const shop = await openShop(house, { buyers: 0, changes: slots(1, 10) })
  const saleId = shop.sale.id
  const accountId = at(await makePeople(sql, 1), 0)
  const late = draftOf(saleId, { accountId, places: [{ unitNo: 0, ordinal: 4, nth: 1 }] })
  const cutOff = rebuild(shop, {
    replay: async (_, after) => {
      // Committed after the tables were read; the relay has passed over it, for the state was not open.
      await committer.add(late)
      await untilOutboxShowsOrder(saleId, after)
      throw new Error('cut off')
    },
  })
  await t.rejects(cutOff, { message: 'cut off' })
  const left = () => house.redis.hget(saleKeys(saleId).state, 'replay_after')
  t.ok(await left())
  const { gate } = await house.gate(saleId)
  await gate.tick()
  const [redis, postgres] = await pictures(saleId)
  t.same(redis.places, { '0:4': `s:${late.orderId}` })
  t.same(redis, postgres)
  t.equal(await left(), '', 'once')
})

t.test('what a rebuild that was cut off knows of the line is known to whoever writes next', async (t) => {
  const shop = await openShop(house, { buyers: 0 })
  const saleId = shop.sale.id
  const knewLineBeforeMs = async () => {
    const ticks = new AdmissionTicks({ state, writership: shop.writership })
    return (await ticks.admit()).knewLineBeforeMs
  }
  const first = await knewLineBeforeMs()
  await house.redis.del(saleKeyNames.map((name) => saleKeys(saleId)[name]))
  await t.rejects(rebuild(shop, { replay: () => Promise.reject(new Error('cut off')) }))
  const [row] = await sql<{ since: Date }[]>`
    select epoch_since as since from sale_writers where sale_id = ${saleId}`
  t.equal(await knewLineBeforeMs(), (row?.since.getTime() ?? 0) - 10_000)
  t.not(await knewLineBeforeMs(), first)
})

t.test("of two writers that rebuild at once the younger one's state stands", async (t) => {
  const shop = await openShop(house, { buyers: 0 })
  const { sale } = shop
  await sql`update sale_writers set lease_until = null where sale_id = ${sale.id}`
  const young = await becomeWriter(sql, { saleId: sale.id, processId: 'prc_young', leaseMs: 60_000 })
  if (!young) throw new Error('the lease is free')
  const [old, new_] = await Promise.allSettled([rebuild(shop), rebuild({ sale, writership: young })])
  t.equal(old.status, 'rejected')
  t.equal(new_.status, 'fulfilled')
  t.equal(await house.redis.hget(saleKeys(sale.id).state, 'fence'), String(young.fence))
})

t.test('a rebuild that is overtaken in the middle writes nothing more', async (t) => {
  const shop = await openShop(house, { buyers: 0 })
  const { sale } = shop
  let young: Awaited<ReturnType<typeof becomeWriter>>
  // The older writer has raised the epoch and is about to write; the younger one comes in between.
  const slowRedis = new Proxy(house.redis, {
    get: (redis, name) => {
      if (name === 'evalsha' && young === undefined) {
        return async (...args: Parameters<typeof redis.evalsha>) => {
          const reply = await redis.evalsha(...args)
          if (young !== undefined) return reply
          await sql`update sale_writers set lease_until = null where sale_id = ${sale.id}`
          young = await becomeWriter(sql, { saleId: sale.id, processId: 'prc_young', leaseMs: 60_000 })
          if (young) await rebuild({ sale, writership: young })
          return reply
        }
      }
      const value: unknown = Reflect.get(redis, name, redis)
      return typeof value === 'function' ? (value.bind(redis) as unknown) : value
    },
  })
  const slowState = new Proxy(state, {
    get: (target, name) => {
      if (name === 'serverOf')
        return (saleId: string) => ({ commands: slowRedis, runId: target.serverOf(saleId).runId })
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  await t.rejects(
    rebuild(shop, { state: slowState, settings: { ...settingsOf(sale), rate: 1 } }),
    FencedError,
  )
  const stands = await house.redis.hmget(saleKeys(sale.id).state, 'fence', 'ready', 'rate')
  t.same(stands, [String(young?.fence), '1', String(sale.queue.ratePerMinute)])
})

t.test('nothing is served while the state is not whole', async (t) => {
  const shop = await openShop(house, { buyers: 1 })
  const buyer = at(shop.buyers, 0)
  await house.redis.hset(saleKeys(shop.sale.id).state, 'ready', '0')
  const wants = [{ unitNo: 0, quantity: 1 }]
  await t.rejects(mustHold(house, { saleId: shop.sale.id, buyer, wants }), { code: 'restoring' })
  await t.rejects(house.queue.join(shop.sale.id, buyer.accountId), { code: 'restoring' })
  await t.rejects(
    sync.apply(shop.sale.id, [{ order: 'o', account: 'a', status: 'free', places: [[0, 1, 1]] }]),
    {
      code: 'restoring',
    },
  )
})

t.test('revisions of units go on over a rebuild, so that no two states share a position', async (t) => {
  const shop = await openShop(house, { buyers: 1 })
  const { state: key } = saleKeys(shop.sale.id)
  await mustHold(house, {
    saleId: shop.sale.id,
    buyer: at(shop.buyers, 0),
    wants: [{ unitNo: 0, quantity: 1 }],
  })
  const before = await house.redis.hmget(key, 'epoch', 'rev')
  await rebuild(shop)
  const after = await house.redis.hmget(key, 'epoch', 'rev')
  t.ok(Number(after[0]) > Number(before[0]))
  t.ok(Number(after[1]) >= Number(before[1]))
})

t.test('a hall that takes several calls to write is rebuilt whole', async (t) => {
  const hall = {
    priceClasses: [{ name: 'Regular', priceMinor: 0 }],
    sections: [{ code: 'A', rows: 60, seatsPerRow: 40, priceClass: 'Regular' }],
  }
  const sale = await makeSale(sql, { changes: { hall } })
  const { writership } = await house.gate(sale.id)
  const people = await makePeople(sql, 1100)
  const drafts = people.map((accountId, index) =>
    draftOf(sale.id, { accountId, places: [{ unitNo: 2 * index, ordinal: 1, nth: 1 }] }),
  )
  await Promise.all(drafts.map((draft) => committer.add(draft)))
  await rebuild({ sale, writership })
  const [redis, postgres] = await pictures(sale.id)
  t.equal(redis.sold, 1100)
  t.same(redis.left, postgres.left)
  t.same(redis.places, postgres.places)
  t.same(redis.accounts, postgres.accounts)
  t.equal(redis.free, 1300)
})
