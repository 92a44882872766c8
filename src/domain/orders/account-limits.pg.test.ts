import t from 'tap'
import { makePopup } from '../../../test/support/popups.ts'
import { makeSale } from '../../../test/support/sales.ts'
import { at, draftOf, makePeople, slots } from '../../../test/support/shop.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import type { Sale } from '../sales/sale.ts'
import { beyondLimits, standingReader } from './account-limits.ts'
import { orderCommitter, type OrderDraft } from './order-commit.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 8, name: 'limits-test' })
t.teardown(() => sql.end({ timeout: 1 }))
// Two processes that know nothing of each other.
const committers = [orderCommitter(sql), orderCommitter(sql)]
const standing = standingReader(sql)

const commit = (drafts: readonly OrderDraft[]) =>
  Promise.all(drafts.map(async (draft, index) => (await at(committers, index % 2).add(draft)).fate))
const place = (unitNo: number, ordinal: number, nth: number) => ({ unitNo, ordinal, nth })
const draft = (sale: Sale, accountId: string, places: readonly ReturnType<typeof place>[]): OrderDraft => ({
  ...draftOf(sale.id, { accountId, places }),
  storeId: sale.storeId,
  onePerUnit: sale.onePerUnit,
})
const saleIn = async (options: { maxPerAccount?: number } = {}, more: object = {}) => {
  const { storeId, organiserId } = await makePopup(sql, options)
  const open = (): Promise<Sale> =>
    makeSale(sql, {
      organiserId,
      changes: { ...slots(4), store: storeId, queue: { maxPerAccount: 8 }, ...more },
    })
  return { storeId, open, sale: await open() }
}
const cancel = (orderId: string) => sql`
  update bookings set status = 'cancelled', cancelled_at = now() where order_id = ${orderId}`
const booked = async (sale: Sale, accountId: string) => {
  const rows = await sql<{ unit: number }[]>`
    select unit_no as unit from bookings
    where sale_id = ${sale.id} and account_id = ${accountId} and status = 'booked' order by unit_no`
  return rows.map(({ unit }) => unit)
}

t.test('in a store an account has one booking of a slot, whatever it sends at once', async (t) => {
  const { sale } = await saleIn()
  const [me = '', other = ''] = await makePeople(sql, 2)
  const tries = Array.from({ length: 8 }, (_, index) => draft(sale, me, [place(0, index + 1, index + 1)]))
  const fates = await commit([...tries, draft(sale, other, [place(0, 9, 1)])])
  t.equal(fates.filter((fate) => fate === 'placed').length, 2, 'one of mine and that of the other')
  t.equal(fates.filter((fate) => fate === 'beyond_limits').length, 7)
  t.same(await booked(sale, me), [0])
  t.same(await commit([draft(sale, me, [place(1, 1, 2)])]), ['placed'], 'another slot is another matter')
})

t.test('what was cancelled can be booked anew', async (t) => {
  const { sale } = await saleIn()
  const [me = ''] = await makePeople(sql, 1)
  const first = draft(sale, me, [place(0, 1, 1)])
  t.same(await commit([first]), ['placed'])
  t.same(await commit([draft(sale, me, [place(0, 2, 2)])]), ['beyond_limits'])
  await cancel(first.orderId)
  t.same(await commit([draft(sale, me, [place(0, 2, 2)])]), ['placed'])
})

t.test('a store’s organiser may sell several places of a slot to one account', async (t) => {
  const { sale } = await saleIn({}, { onePerUnit: false })
  const [me = ''] = await makePeople(sql, 1)
  t.same(await commit([draft(sale, me, [place(0, 1, 1), place(0, 2, 2)])]), ['placed'])
})

t.test('all sales of a store together give an account as many as the store allows', async (t) => {
  const { sale, open } = await saleIn({ maxPerAccount: 3 })
  const second = await open()
  const people = await makePeople(sql, 10)
  const drafts = people.flatMap((me) =>
    [sale, second].flatMap((one, index) => [
      draft(one, me, [place(0, people.indexOf(me) + 1, 1)]),
      draft(one, me, [place(1 + index, people.indexOf(me) + 1, 2), place(3, people.indexOf(me) + 1, 3)]),
    ]),
  )
  await commit(drafts)
  for (const me of people) {
    const count = (await booked(sale, me)).length + (await booked(second, me)).length
    // One and one, and no room for two; or one and two.
    t.ok(count === 2 || count === 3, `an account has ${count}`)
  }
})

t.test(
  'in one batch the first orders of an account stand, and the one too many leaves nothing',
  async (t) => {
    const { sale } = await saleIn({ maxPerAccount: 2 })
    const [me = ''] = await makePeople(sql, 1)
    const drafts = [0, 1, 2].map((unit) => draft(sale, me, [place(unit, 1, unit + 1)]))
    t.same(await Promise.all(drafts.map(async (one) => (await at(committers, 0).add(one)).fate)), [
      'placed',
      'placed',
      'beyond_limits',
    ])
    t.same(await booked(sale, me), [0, 1])
    t.same(
      await commit([at(drafts, 0)]),
      ['exists'],
      'what stands is found again, though the account is full',
    )
    const [left] = await sql<{ count: number }[]>`
    select count(*)::int from orders where id = ${at(drafts, 2).orderId}`
    t.equal(left?.count, 0)
  },
)

t.test('an order that is there already counts against those that come with it again', async (t) => {
  const { sale } = await saleIn({ maxPerAccount: 2 })
  const [me = ''] = await makePeople(sql, 1)
  const first = draft(sale, me, [place(0, 1, 1)])
  t.same(await commit([first]), ['placed'])
  // Handed over in one turn, so that they travel together.
  const only = at(committers, 0)
  const fates = await Promise.all(
    [first, draft(sale, me, [place(1, 1, 2), place(2, 1, 3)]), draft(sale, me, [place(3, 1, 4)])].map(
      async (one) => (await only.add(one)).fate,
    ),
  )
  t.same(fates, ['exists', 'beyond_limits', 'placed'], 'and what does not fit leaves room for what does')
  t.same(await booked(sale, me), [0, 3])
})

t.test('what stands is told for a crowd in one go, each by itself', async (t) => {
  const { sale, open } = await saleIn({ maxPerAccount: 2 })
  const second = await open()
  const free = await makeSale(sql, { changes: slots(2) })
  const [me = '', other = ''] = await makePeople(sql, 2)
  const mine = draft(sale, me, [place(2, 1, 1)])
  await commit([mine, draft(second, me, [place(0, 1, 1)]), draft(free, other, [place(0, 1, 1)])])
  const ask = (one: Sale, accountId: string) =>
    standing.add({ saleId: one.id, storeId: one.storeId, accountId })
  const [a, b, c] = await Promise.all([ask(sale, me), ask(sale, other), ask(free, other)])
  t.same(a, { booked: [{ unitNo: 2, order: mine.orderId }], inStore: { standing: 2, limit: 2 } })
  t.same(b, { booked: [], inStore: { standing: 0, limit: 2 } })
  t.match(c, { booked: [{ unitNo: 0 }], inStore: { limit: null } })
  if (a === undefined) throw new Error('three were asked for')
  const units = { codes: ['a', 'b', 'c', 'd'] }
  t.match(beyondLimits(a, { rules: sale, unitNos: [2], places: 1 }, units), {
    code: 'already_booked',
    options: { extra: { unit: 'c', order: mine.orderId } },
  })
  t.match(beyondLimits(a, { rules: sale, unitNos: [3], places: 1 }, units), {
    code: 'store_limit_reached',
    options: { extra: { limit: 2, standing: 2 } },
  })
})

t.test('a sale is held in an open store of its organiser, or in none', async (t) => {
  const { storeId, organiserId } = await makePopup(sql)
  const sale = await makeSale(sql, { organiserId, changes: { store: storeId } })
  t.match(sale, { storeId, onePerUnit: true })
  t.match(await makeSale(sql), { storeId: null, onePerUnit: false })
  const closed = await makePopup(sql, { status: 'closed' })
  const refused = { code: 'invalid_request', options: { errors: [{ field: 'store' }] } }
  await t.rejects(makeSale(sql, { changes: { store: storeId } }), refused, 'that of somebody else')
  await t.rejects(
    makeSale(sql, { organiserId: closed.organiserId, changes: { store: closed.storeId } }),
    refused,
    'one that has closed',
  )
})
