import t from 'tap'
import { useHouse } from '../../../test/support/house.ts'
import { makePopup } from '../../../test/support/popups.ts'
import {
  at,
  draftOf,
  newHoldId,
  openShop,
  placesInRedis,
  slots,
  type Shop,
} from '../../../test/support/shop.ts'
import { Problem } from '../../errors.ts'
import { standingReader } from '../orders/account-limits.ts'
import { orderCommitter } from '../orders/order-commit.ts'
import { tokenIdOf } from '../queue/queue-place.ts'
import { HoldTaking, type HoldRequest } from './hold-taking.ts'

const house = await useHouse(t)
const { sql, holds, catalogue } = house
const standings = standingReader(sql)
const committer = orderCommitter(sql)

const openStore = async (options: { maxPerAccount?: number; buyers?: number; capacity?: number } = {}) => {
  const { storeId, organiserId } = await makePopup(sql, options)
  const { buyers = 1, capacity = 2 } = options
  const changes = { ...slots(4, capacity, 0), store: storeId }
  return await openShop(house, { organiserId, buyers, changes, queue: { maxPerAccount: 8 } })
}
const unit = (number: number, quantity?: number) => ({
  unit: `2026-12-01T0${number}:00`,
  ...(quantity && { quantity }),
})
const ask = async (
  { sale, buyers }: Shop,
  request: HoldRequest,
  { who = 0, holdId = newHoldId(sale.id) } = {},
) => {
  const freePlaces = async () => {
    const { left } = await placesInRedis(house, sale.id)
    return (unitNo: number) => left[unitNo] ?? 0
  }
  const standing = standings.add.bind(standings)
  const taking = new HoldTaking({ holds, freePlaces, standing, random: () => 0 })
  const { accountId, sequence } = at(buyers, who)
  const holder = { accountId, jti: tokenIdOf(sequence) }
  return await taking.take({ sale, holdId, holder, request }, await catalogue.units(sale.id))
}
const refusal = async (asked: Promise<unknown>) => {
  const error: unknown = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof Problem) return { code: error.code, ...error.options.extra }
  throw new Error('it was not refused', { cause: error })
}
const one = (number: number): HoldRequest => ({ units: [unit(number)] })

t.test('a slot is had once: a second try names the hold, and then the order', async (t) => {
  const shop = await openStore({ capacity: 10 })
  const holdId = newHoldId(shop.sale.id)
  const hold = await ask(shop, one(1), { holdId })
  t.same(await refusal(ask(shop, one(1))), { code: 'already_held', hold: holdId })
  t.same(
    (await ask(shop, one(1), { holdId })).places,
    hold.places,
    'the same hold once more is the same hold',
  )
  const draft = draftOf(shop.sale.id, { accountId: hold.accountId, places: hold.places, holdId })
  await committer.add({ ...draft, storeId: shop.sale.storeId, onePerUnit: true })
  await holds.release(shop.sale.id, { holdId, accountId: hold.accountId })
  t.same(await refusal(ask(shop, one(1))), {
    code: 'already_booked',
    unit: '2026-12-01T01:00',
    order: draft.orderId,
  })
  t.same(await refusal(ask(shop, { units: [unit(2, 2)] })), { code: 'one_per_unit' })
  t.same(await refusal(ask(shop, { best: { count: 2 } })), { code: 'one_per_unit' })
})

t.test('the best slot is one that the account does not have yet', async (t) => {
  const shop = await openStore({ capacity: 10 })
  const best: HoldRequest = { best: { count: 1 } }
  const units = []
  for (let tries = 0; tries < 4; tries++) units.push(at((await ask(shop, best)).places, 0).unitNo)
  t.same(units, [0, 1, 2, 3])
  t.same(await refusal(ask(shop, best)), { code: 'none_together' })
})

t.test('a full slot is told as such, with the nearest that have places', async (t) => {
  const shop = await openStore({ buyers: 3, capacity: 2 })
  await ask(shop, one(1), { who: 0 })
  await ask(shop, one(1), { who: 1 })
  t.same(await refusal(ask(shop, one(1), { who: 2 })), {
    code: 'fully_booked',
    units: ['2026-12-01T01:00'],
    nearest: [
      { unit: '2026-12-01T00:00', left: 2 },
      { unit: '2026-12-01T02:00', left: 2 },
      { unit: '2026-12-01T03:00', left: 2 },
    ],
  })
})

t.test('what the store gives to an account counts before anything is held', async (t) => {
  const shop = await openStore({ maxPerAccount: 1 })
  t.same(await refusal(ask(shop, { units: [unit(0), unit(1)] })), {
    code: 'store_limit_reached',
    limit: 1,
    standing: 0,
  })
  t.same((await placesInRedis(house, shop.sale.id)).places, {}, 'nothing was held')
  await ask(shop, one(0))
})
