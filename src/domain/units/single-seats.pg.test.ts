import fc from 'fast-check'
import t from 'tap'
import { useHouse } from '../../../test/support/house.ts'
import { at, newHoldId, openShop, type Shop, nothingStands } from '../../../test/support/shop.ts'
import { Problem } from '../../errors.ts'
import { tokenIdOf } from '../queue/queue-place.ts'
import { HoldTaking, type HoldRequest } from './hold-taking.ts'
import { seatsLeftAlone } from './single-seats.ts'

const house = await useHouse(t)
const { holds, catalogue, redis } = house
const perRow = 9

const hallOf = (rows: number) => ({
  singleSeats: 'refused',
  hall: {
    priceClasses: [{ name: 'R', priceMinor: 0 }],
    sections: [{ code: 'A', rows, seatsPerRow: perRow, priceClass: 'R' }],
  },
})
const openHall = (rows: number, buyers = 1) =>
  openShop(house, { buyers, changes: hallOf(rows), queue: { maxPerAccount: 50 } })

const freeOf = async (shop: Shop): Promise<(unitNo: number) => boolean> => {
  const left = await redis.hgetall(`{${shop.sale.id}}:left`)
  return (unitNo) => left[unitNo] === '1'
}
/** Asks for seats; resolves to what came of it: held, or the seats that would be left alone, or the code of the error. */
const ask = async (shop: Shop, request: HoldRequest, buyer = 0): Promise<string> => {
  const free = await freeOf(shop)
  const taking = new HoldTaking({
    holds,
    freePlaces: async () => (unitNo) => Number(free(unitNo)),
    standing: nothingStands,
    random: () => 0,
  })
  const { accountId, sequence } = at(shop.buyers, buyer)
  const holder = { accountId, jti: tokenIdOf(sequence) }
  const holdId = newHoldId(shop.sale.id)
  const units = await catalogue.units(shop.sale.id)
  try {
    const asked = { sale: shop.sale, holdId, holder, request }
    const hold = await taking.take(asked, units)
    return `held ${hold.places.map(({ unitNo }) => unitNo).join(' ')}`
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return error.code
  }
}
const seats = (...numbers: number[]): HoldRequest => ({
  units: numbers.map((number) => ({ unit: `A-01-${String(number + 1).padStart(2, '0')}` })),
})

t.test('a choice may not leave a single seat between taken ones, unless every choice would', async (t) => {
  const shop = await openHall(1)
  t.equal(await ask(shop, seats(1)), 'leaves_single_seat', 'one from the edge')
  t.equal(await ask(shop, seats(0, 2)), 'leaves_single_seat', 'one in the middle')
  t.equal(await ask(shop, seats(0, 1)), 'held 0 1')
  t.equal(await ask(shop, seats(3, 4)), 'leaves_single_seat')
  t.equal(await ask(shop, seats(2, 3, 4, 5)), 'held 2 3 4 5')
  t.equal(await ask(shop, seats(7)), 'leaves_single_seat', 'two of them')
  t.equal(await ask(shop, seats(6, 7)), 'held 6 7', 'two of three leave one wherever they are')
  t.equal(await ask(shop, seats(8)), 'held 8', 'and somebody may have it')
})

t.test('the refusal names the seats', async (t) => {
  const shop = await openHall(1)
  const { accountId, sequence } = at(shop.buyers, 0)
  const asked = { holdId: newHoldId(shop.sale.id), accountId, sequence, rows: [[0, perRow - 1]] as const }
  const want = (unitNo: number) => ({ unitNo, quantity: 1 })
  t.same(await holds.take(shop.sale.id, { ...asked, alternatives: [[want(1), want(7)]] }), {
    leftAlone: [0, 8],
  })
})

t.test('the best seats are those that leave nobody alone', async (t) => {
  const shop = await openHall(2)
  for (let times = 0; times < 8; times++) t.match(await ask(shop, { best: { count: 2 } }), /^held/)
  const free = await freeOf(shop)
  const alone = [0, 1].map((row) =>
    Array.from({ length: perRow }, (_, seat) => row * perRow + seat).filter((unitNo) => free(unitNo)),
  )
  t.same(
    alone.map((row) => row.length),
    [1, 1],
    'of nine seats four pairs each, and one that must be left',
  )
})

t.test('script and rule agree, and no avoidable single seat ever comes to be', async (t) => {
  const choice = fc.uniqueArray(fc.nat(perRow - 1), { minLength: 1, maxLength: 4 })
  const property = fc.asyncProperty(fc.array(choice, { minLength: 1, maxLength: 5 }), async (choices) => {
    const shop = await openHall(1)
    const units = await catalogue.units(shop.sale.id)
    for (const chosen of choices) {
      const free = await freeOf(shop)
      const expected = !chosen.every(free)
        ? 'unit_taken'
        : seatsLeftAlone(units, free, chosen).length > 0
          ? 'leaves_single_seat'
          : 'held'
      const [said = ''] = (await ask(shop, seats(...chosen))).split(' ')
      if (said !== expected) throw new Error(`${chosen.join(' ')}: ${said} instead of ${expected}`)
    }
  })
  await t.resolves(fc.assert(property, { numRuns: 25 }))
})

t.test('of two whose choices together leave a seat alone one is refused', async (t) => {
  const shop = await openHall(1, 2)
  // Each alone is fine; both leave the seat between them.
  const said = await Promise.all([ask(shop, seats(2, 3), 0), ask(shop, seats(5, 6), 1)])
  t.same(
    said.toSorted().map((one) => one.split(' ')[0]),
    ['held', 'leaves_single_seat'],
  )
})

t.test('where single seats are allowed nothing is refused for them', async (t) => {
  const changes = { ...hallOf(1), singleSeats: 'allowed' }
  const shop = await openShop(house, { buyers: 1, changes, queue: { maxPerAccount: 50 } })
  t.equal(await ask(shop, seats(1, 3, 5)), 'held 1 3 5')
})

t.test('a hold is extended once, by five minutes, as long as it lives', async (t) => {
  const shop = await openHall(1)
  const { accountId, sequence } = at(shop.buyers, 0)
  const take = async (unitNo: number) => {
    const asked = {
      holdId: newHoldId(shop.sale.id),
      accountId,
      sequence,
      alternatives: [[{ unitNo, quantity: 1 }]],
    }
    const taking = await holds.take(shop.sale.id, asked)
    if (!('hold' in taking)) throw new Error('not held')
    return taking.hold
  }
  const hold = await take(0)
  const asked = { holdId: hold.id, accountId }
  const extended = await holds.extend(shop.sale.id, asked)
  t.equal(extended.expiresAtMs - hold.expiresAtMs, 300_000)
  t.equal(extended.isExtended, true)
  await t.rejects(holds.extend(shop.sale.id, asked), { code: 'already_extended' })
  await t.rejects(holds.extend(shop.sale.id, { ...asked, accountId: 'usr_other' }), { code: 'hold_gone' })

  // It outlives its first end, to the sweep as well as to an order.
  await house.passMs(shop.sale.id, 200_000)
  await holds.sweep(shop.sale.id, { fence: shop.writership.fence, batch: 100, pinnedMs: 60_000 })
  t.same(
    (await holds.listOf(shop.sale.id, accountId)).map(({ id }) => id),
    [hold.id],
  )
  const second = await take(1)
  await holds.pin(shop.sale.id, { holdId: hold.id, accountId, orderId: 'ord_a' })
  await t.rejects(holds.extend(shop.sale.id, asked), { code: 'hold_gone' }, 'it is ordered')
  t.same(
    (await holds.listOf(shop.sale.id, accountId)).map(({ id }) => id),
    [second.id],
  )
  await house.passMs(shop.sale.id, 600_000)
  await t.rejects(
    holds.extend(shop.sale.id, { holdId: second.id, accountId }),
    { code: 'hold_gone' },
    'it is over',
  )
  t.same(await holds.listOf(shop.sale.id, accountId), [])
})
