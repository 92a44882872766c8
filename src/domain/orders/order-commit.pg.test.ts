import t from 'tap'
import { bookPlaces, makeSale } from '../../../test/support/sales.ts'
import { at, draftOf, makePeople, slots } from '../../../test/support/shop.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'
import { until } from '../../../test/support/until.ts'
import type { Sale } from '../sales/sale.ts'
import { orderCommitter, type OrderDraft, type OrderFate } from './order-commit.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 8, name: 'commit-test' })
// A connection that was cut in a transaction never ends by itself.
t.teardown(() => sql.end({ timeout: 1 }))
const committer = orderCommitter(sql)

type Fate = OrderFate['fate']
const commitOne = async (draft: OrderDraft, by = committer): Promise<Fate> => (await by.add(draft)).fate

/** Drafts that are handed over in one turn travel in one transaction. */
const commit = (drafts: readonly OrderDraft[]): Promise<Fate[]> =>
  Promise.all(drafts.map((draft) => commitOne(draft)))
const place = (unitNo: number, ordinal: number, nth = 1) => ({ unitNo, ordinal, nth })
const draftsOf = async (sale: Sale, places: readonly (readonly ReturnType<typeof place>[])[]) => {
  const people = await makePeople(sql, places.length)
  return places.map((some, index) => draftOf(sale.id, { accountId: at(people, index), places: some }))
}
const standing = async (sale: Sale) => {
  const rows = await sql<{ place: string; order_id: string }[]>`
    select unit_no || ':' || ordinal as place, order_id from bookings
    where sale_id = ${sale.id} and status in ('pending', 'booked') order by unit_no, ordinal`
  return Object.fromEntries(rows.map((row) => [row.place, row.order_id]))
}
const orderIds = async (sale: Sale) =>
  (await sql<{ id: string }[]>`select id from orders where sale_id = ${sale.id}`).map((row) => row.id)
const transactions = async (sale: Sale) => {
  const rows = await sql<{ count: number }[]>`
    select count(distinct xid)::int as count from outbox where sale_id = ${sale.id} and topic = 'order'`
  return rows[0]?.count
}

t.test('orders of one moment are written in one transaction, with bookings and messages', async (t) => {
  const sale = await makeSale(sql, { changes: slots(2) })
  const drafts = await draftsOf(sale, [[place(0, 1)], [place(0, 2), place(1, 1, 2)], [place(1, 2)]])
  t.same(await commit(drafts), ['placed', 'placed', 'placed'])
  const [a, b, c] = drafts.map((draft) => draft.orderId)
  t.same(await standing(sale), { '0:1': a, '0:2': b, '1:1': b, '1:2': c })
  t.equal(await transactions(sale), 1)
  const told = await sql<{ body: unknown }[]>`
    select body from outbox where sale_id = ${sale.id} and topic = 'order' order by id`
  t.match(told[1]?.body, {
    order: b,
    hold: drafts[1]?.holdId,
    status: 'booked',
    places: [
      [0, 2, 1],
      [1, 1, 2],
    ],
  })
})

t.test('an order whose place is taken loses alone, and leaves nothing behind', async (t) => {
  const sale = await makeSale(sql, { changes: slots(2) })
  await bookPlaces(sql, { sale, unitNo: 0, ordinals: [3] })
  const places = [[place(0, 1)], [place(0, 2), place(0, 3, 2)], [place(0, 4)], [place(0, 1)]]
  const drafts = await draftsOf(sale, places)
  t.same(await commit(drafts), ['placed', 'taken', 'placed', 'taken'])
  t.same(Object.keys(await standing(sale)), ['0:1', '0:3', '0:4'], 'also not the half of it that was free')
  const ids = await orderIds(sale)
  t.ok(ids.includes(at(drafts, 0).orderId))
  t.notOk(ids.includes(at(drafts, 1).orderId))
  t.equal(await transactions(sale), 1, 'the others were not tried alone')
})

t.test('of orders that want the same place in one moment one gets it', async (t) => {
  const sale = await makeSale(sql, { changes: slots(1) })
  const drafts = await draftsOf(
    sale,
    Array.from({ length: 50 }, (_, index) => [place(0, 1 + (index % 10))]),
  )
  const fates = await commit(drafts)
  t.equal(fates.filter((fate) => fate === 'placed').length, 10)
  t.equal(fates.filter((fate) => fate === 'taken').length, 40)
  const winners = drafts.filter((_, index) => fates[index] === 'placed').map((draft) => draft.orderId)
  t.same(Object.values(await standing(sale)).toSorted(), winners.toSorted())
})

t.test('an order that could not have all its places leaves them to the next one', async (t) => {
  const sale = await makeSale(sql, { changes: slots(2) })
  const [loser, other] = await draftsOf(sale, [[place(0, 1), place(0, 99, 2)], [place(0, 1)]])
  if (!loser || !other) throw new Error('two drafts were made')
  t.equal(await commitOne(loser), 'taken', 'place 99 is beyond the capacity')
  t.equal(await commitOne(other), 'placed')
})

t.test('one order asked for many times is one order', async (t) => {
  const sale = await makeSale(sql)
  const [draft, other] = await draftsOf(sale, [[place(0, 1)], [place(0, 2)]])
  if (!draft || !other) throw new Error('two drafts were made')
  t.same(await commit([draft, { ...draft }, other, { ...draft }]), ['placed', 'exists', 'placed', 'exists'])
  t.equal(await commitOne(draft), 'exists')
  t.equal((await orderIds(sale)).length, 2)
  t.equal(Object.keys(await standing(sale)).length, 2)
})

t.test('an order that came to its end gets no places when it is asked for again', async (t) => {
  const sale = await makeSale(sql)
  const draft = at(await draftsOf(sale, [[place(0, 1)]]), 0)
  t.equal(await commitOne(draft), 'placed')
  await sql`update bookings set status = 'released' where order_id = ${draft.orderId}`
  t.equal(
    await commitOne({
      ...draft,
      bookings: draft.bookings.map((one) => ({ ...one, bookingId: 'bkg_again' })),
    }),
    'exists',
  )
  t.same(await standing(sale), {})
})

t.test('a repeated order whose place is taken is told so each time', async (t) => {
  const sale = await makeSale(sql)
  await bookPlaces(sql, { sale, unitNo: 0, ordinals: [1] })
  const draft = at(await draftsOf(sale, [[place(0, 1)]]), 0)
  const [first] = await commit([draft, { ...draft }])
  t.equal(first, 'taken')
  t.equal(await commitOne(draft), 'taken')
  t.same(await orderIds(sale).then((ids) => ids.includes(draft.orderId)), false)
})

t.test('no account gets more than its limit, whatever nth its hold gave', async (t) => {
  const sale = await makeSale(sql, { changes: { queue: { maxPerAccount: 2 } } })
  const accountId = at(await makePeople(sql, 1), 0)
  const draft = (ordinal: number, nth: number) =>
    draftOf(sale.id, { accountId, places: [place(0, ordinal, nth)] })
  t.same(await commit([draft(1, 1), draft(2, 2), draft(3, 3), draft(4, 2), draft(5, 0 + 1)]), [
    'placed',
    'placed',
    'taken',
    'taken',
    'taken',
  ])
  t.equal(Object.keys(await standing(sale)).length, 2)
})

t.test('an order to be paid waits for its payment, with a time until which it may', async (t) => {
  const sale = await makeSale(sql)
  const accountId = at(await makePeople(sql, 1), 0)
  const draft = draftOf(sale.id, { accountId, places: [place(0, 1)] }, 'paid')
  t.equal(await commitOne(draft), 'placed')
  const rows = await sql`
    select orders.status, bookings.status as booking, payments.state, amount_minor, charge_key,
      round(extract(epoch from pay_by - clock_timestamp()) / 100)::int as wait
    from orders join bookings on bookings.order_id = orders.id join payments on payments.order_id = orders.id
    where orders.id = ${draft.orderId}`
  const charge_key = `${draft.orderId}.charge`
  const row = {
    status: 'pending',
    booking: 'pending',
    state: 'queued',
    amount_minor: 1000,
    charge_key,
    wait: 3,
  }
  t.same(rows, [row])
})

t.test(
  'a batch that fails is tried again one by one, so that one bad order spoils nobody else',
  async (t) => {
    const sale = await makeSale(sql)
    const drafts = await draftsOf(sale, [[place(0, 1)], [place(0, 2)], [place(0, 3)]])
    const bad = { ...at(drafts, 1), accountId: 'usr_nobody' }
    const fates = await Promise.allSettled(
      [at(drafts, 0), bad, at(drafts, 2)].map((draft) => commitOne(draft)),
    )
    t.same(
      fates.map((fate) => (fate.status === 'fulfilled' ? fate.value : 'failed')),
      ['placed', 'failed', 'placed'],
    )
    t.same(Object.keys(await standing(sale)), ['0:1', '0:3'])
  },
)

t.test("batches that want each other's places do not wait for each other for ever", async (t) => {
  const sale = await makeSale(sql, { changes: slots(1, 40) })
  const people = await makePeople(sql, 80)
  const wanted = people.map((accountId, index) => {
    const [a, b] = [1 + (index % 40), 1 + ((index * 7 + 3) % 40)]
    const places = a === b ? [place(0, a)] : [place(0, Math.max(a, b), 1), place(0, Math.min(a, b), 2)]
    return draftOf(sale.id, { accountId, places })
  })
  // Two committers, as two processes would have.
  const others = orderCommitter(sql)
  const fates = await Promise.all(
    wanted.map((draft, index) => commitOne(draft, index % 2 === 0 ? committer : others)),
  )
  const placed = wanted.filter((_, index) => fates[index] === 'placed')
  t.equal(Object.keys(await standing(sale)).length, placed.flatMap((draft) => draft.bookings).length)
  t.ok(placed.length > 0)
})

t.test('when the connection is lost in the middle each order learns the truth', async (t) => {
  const sale = await makeSale(sql)
  const drafts = await draftsOf(sale, [[place(0, 1)], [place(0, 2)]])
  const first = at(drafts, 0)
  let fates: Promise<Fate[]> = Promise.resolve([])
  await sql.begin(async (tx) => {
    // Somebody else is writing the same booking id, so the batch waits in the middle of its transaction.
    await tx`
      insert into orders (id, sale_id, account_id, hold_id, status, total_minor, currency)
      values (${first.orderId}, ${sale.id}, ${first.accountId}, 'hol_x', 'booked', 0, 'KRW')`
    fates = commit(drafts)
    let pid: number | undefined
    await until('the batch waits', async () => {
      const rows = await sql<{ pid: number }[]>`
        select pid from pg_locks join pg_stat_activity using (pid)
        where not granted and datname = current_database()`
      pid = rows[0]?.pid
      return pid !== undefined
    })
    await sql`select pg_terminate_backend(${pid ?? 0})`
    await tx`delete from orders where id = ${first.orderId}`
  })
  t.same(await fates, ['placed', 'placed'])
  t.same(Object.keys(await standing(sale)), ['0:1', '0:2'])
  t.equal((await orderIds(sale)).length, 2)
})

t.test('when the connection is lost after the commit the order finds itself there', async (t) => {
  const sale = await makeSale(sql)
  const draft = at(await draftsOf(sale, [[place(0, 1)]]), 0)
  const forgetful = orderCommitter(sql)
  t.equal(await commitOne(draft, forgetful), 'placed')
  t.equal(await commitOne(draft, orderCommitter(sql)), 'exists', 'as it is when its batch is tried again')
})
