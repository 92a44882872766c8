import t from 'tap'
import {
  addOrder,
  makeRow,
  orderStatus,
  outboxOf,
  paymentState,
  type TestOrder,
} from '../../../test/support/order-fixtures.ts'
import { makeAccount } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { cancelOrder } from '../orders/order-cancelling.ts'
import { expireDueOrders } from '../orders/order-expiring.ts'
import { noHurry } from '../orders/order-outbox.ts'
import { claimPayments, recordOutcome, recordUnknown } from './payment-store.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 6, name: 'payment-store-test' })
t.teardown(() => sql.end())

const { id: saleId } = await makeRow(sql)
const approved = { outcome: 'approved', providerRef: 'ref' } as const

/** Each test leaves no work and no taken seat for the next. */
t.afterEach(async () => {
  await sql`update payments set state = 'void' where state in ('queued', 'calling', 'unknown', 'refunding')`
  await sql`update bookings set status = 'released' where status in ('pending', 'booked')`
})

async function order(unitNo = 0): Promise<TestOrder & { accountId: string }> {
  const accountId = await makeAccount(sql)
  const made = await addOrder(sql, { saleId, accountId, unitNos: [unitNo], payment: { state: 'queued' } })
  return { ...made, accountId }
}

/** As if the time until the payment's next turn had passed. */
const makeDue = ({ orderId }: TestOrder) =>
  sql`update payments set next_at = now() where order_id = ${orderId}`

t.test('a process that was paused past its claim changes nothing when it wakes', async (t) => {
  const made = await order()
  const {
    claimed: [paused],
  } = await claimPayments(sql, 1)
  await makeDue(made)
  const {
    claimed: [taker],
  } = await claimPayments(sql, 1)
  if (paused === undefined || taker === undefined) throw new Error('nothing claimed')
  t.equal(taker.state, 'unknown')
  await recordUnknown(sql, taker, 60_000)
  await recordUnknown(sql, paused, 0)
  t.same((await claimPayments(sql, 1)).claimed, [], 'the pause of the taker holds')
  const entries = await Promise.all([
    recordOutcome(sql, taker, approved),
    recordOutcome(sql, paused, approved),
    recordOutcome(sql, paused, { outcome: 'refused', reason: 'late' }),
  ])
  t.equal(entries.filter((entry) => entry !== undefined).length, 1)
  t.equal((await outboxOf(sql, made.orderId)).length, 1)
  await recordUnknown(sql, paused, 0)
  t.ok(['approved', 'refused'].includes((await paymentState(sql, made.orderId)) ?? ''))
})

t.test('of expiry, cancelling and the beginning of payment one wins, and no money is lost', async (t) => {
  for (let round = 0; round < 12; round++) {
    const made = await order()
    if (round % 2 === 0)
      await sql`update orders set pay_by = now() + interval '3 milliseconds' where id = ${made.orderId}`
    const [, , { claimed }] = await Promise.all([
      expireDueOrders(sql, 10, noHurry),
      cancelOrder(sql, made, noHurry).catch(() => {}),
      claimPayments(sql, 10),
    ])
    const status = await orderStatus(sql, made.orderId)
    t.equal(status === 'paying', claimed.length === 1, `${status}`)
    t.equal(await paymentState(sql, made.orderId), claimed.length === 1 ? 'calling' : 'void')
    await sql`update bookings set status = 'released' where order_id = ${made.orderId}`
  }
})

t.test('an outcome told again, or told otherwise, changes nothing', async (t) => {
  const made = await order()
  const {
    claimed: [claimed],
  } = await claimPayments(sql, 1)
  if (claimed === undefined) throw new Error('nothing claimed')
  t.ok(await recordOutcome(sql, claimed, approved))
  for (const outcome of [approved, { outcome: 'refused', reason: 'late' } as const]) {
    t.equal(await recordOutcome(sql, claimed, outcome), undefined)
    t.equal(await paymentState(sql, made.orderId), 'approved')
    t.equal(await orderStatus(sql, made.orderId), 'booked')
  }
})

t.test('two claims at once share the payments that are due, none is in both', async (t) => {
  for (let unitNo = 0; unitNo < 20; unitNo++) await order(unitNo)
  // With all connections open they really meet.
  await Promise.all(Array.from({ length: 6 }, () => sql`select pg_sleep(0.01)`))
  const rounds = await Promise.all(Array.from({ length: 6 }, () => claimPayments(sql, 4)))
  const ids = rounds.flatMap(({ claimed }) => claimed.map(({ id }) => id))
  ids.push(...(await claimPayments(sql, 50)).claimed.map(({ id }) => id))
  t.equal(ids.length, 20)
  t.equal(new Set(ids).size, 20)
})
