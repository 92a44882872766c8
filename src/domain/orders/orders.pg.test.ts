import t from 'tap'
import {
  addOrder,
  bookingStatuses,
  makeRow,
  orderStatus,
  outboxOf,
  paymentState,
} from '../../../test/support/order-fixtures.ts'
import { makeAccount } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { transaction } from '../../db/transaction.ts'
import { randomIds } from '../../ids.ts'
import { cancelOrder } from './order-cancelling.ts'
import { expireDueOrders } from './order-expiring.ts'
import { noHurry, type OrderEntry } from './order-outbox.ts'
import { settleApproved, settleRefused } from './order-settling.ts'
import { hideOrder, listOrders, mustFindOrder } from './order-store.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 8, name: 'orders-test' })
t.teardown(() => sql.end())

const approve = (orderId: string) => transaction(sql, (tx) => settleApproved(tx, orderId))
const refuse = (orderId: string) => transaction(sql, (tx) => settleRefused(tx, orderId))
const paid = { state: 'approved' } as const
const asked = { state: 'calling' } as const

const { id: saleId } = await makeRow(sql)
const accountId = await makeAccount(sql)
const base = { saleId, accountId }
/** Each test leaves the seats free for the next. */
t.afterEach(async () => {
  await sql`update bookings set status = 'released', checked_in_at = null where status in ('pending', 'booked')`
  await sql`update orders set status = 'abandoned'`
})

t.test('an approved order is booked with its places and says so once', async (t) => {
  const { orderId } = await addOrder(sql, { ...base, unitNos: [0, 1], status: 'paying', payment: asked })
  const entry = await approve(orderId)
  const places = [
    [0, 1, 1],
    [1, 1, 2],
  ]
  t.same(entry?.body, { order: orderId, account: accountId, status: 'booked', places })
  t.equal(await orderStatus(sql, orderId), 'booked')
  t.same(await bookingStatuses(sql, orderId), ['booked', 'booked'])
  t.same(await outboxOf(sql, orderId), [entry?.body])
})

t.test('settling twice, at once or one after the other, settles once', async (t) => {
  const { orderId } = await addOrder(sql, { ...base, unitNos: [0], status: 'paying', payment: asked })
  const entries = await Promise.all([approve(orderId), approve(orderId), refuse(orderId)])
  t.equal(entries.filter((entry) => entry !== undefined).length, 1)
  t.equal(await approve(orderId), undefined)
  t.equal(await refuse(orderId), undefined)
  t.equal((await outboxOf(sql, orderId)).length, 1)
})

t.test('a refused order frees its places', async (t) => {
  const { orderId } = await addOrder(sql, { ...base, unitNos: [0, 1], status: 'paying', payment: asked })
  const entry = await refuse(orderId)
  t.equal(entry?.body.places.length, 2)
  t.equal(await orderStatus(sql, orderId), 'refused')
  t.same(await bookingStatuses(sql, orderId), ['released', 'released'])
})

t.test('an order that is not paying is neither booked nor refused', async (t) => {
  for (const status of ['pending', 'expired', 'cancelled', 'refused'] as const) {
    const { orderId } = await addOrder(sql, { ...base, unitNos: [0], status })
    t.equal(await approve(orderId), undefined)
    t.equal(await refuse(orderId), undefined)
    t.equal(await orderStatus(sql, orderId), status)
    t.same(await outboxOf(sql, orderId), [])
    await sql`update bookings set status = 'released' where order_id = ${orderId}`
  }
})

t.test('what is rolled back is not told', async (t) => {
  const { orderId } = await addOrder(sql, { ...base, unitNos: [0], status: 'paying', payment: asked })
  const failing = transaction(sql, async (tx) => {
    await settleApproved(tx, orderId)
    throw new Error('cut')
  })
  await t.rejects(failing, { message: 'cut' })
  t.equal(await orderStatus(sql, orderId), 'paying')
  t.same(await outboxOf(sql, orderId), [])
})

t.test('orders whose time is over expire, the others do not', async (t) => {
  const late = await addOrder(sql, { ...base, unitNos: [0, 1], payInSeconds: -1 })
  const kept: string[] = []
  const others = [
    { unitNos: [5], payInSeconds: 60, status: 'pending' },
    { unitNos: [6], payInSeconds: -1, status: 'paying' },
    { unitNos: [7], payInSeconds: -1, status: 'booked' },
  ] as const
  for (const other of others) {
    kept.push((await addOrder(sql, { saleId, accountId: await makeAccount(sql), ...other })).orderId)
  }
  const hurried: OrderEntry[] = []
  const entries = await expireDueOrders(sql, 100, (entry) => hurried.push(entry))
  t.same(
    entries.map(({ body }) => body.order),
    [late.orderId],
  )
  t.same(entries[0]?.body.places.length, 2)
  t.same(hurried, entries)
  t.same(await outboxOf(sql, late.orderId), [entries[0]?.body])
  t.same(await bookingStatuses(sql, late.orderId), ['released', 'released'])
  t.same(await Promise.all(kept.map((id) => orderStatus(sql, id))), ['pending', 'paying', 'booked'])
  t.same(await expireDueOrders(sql, 100, noHurry), [])
})

t.test('several processes expire a crowd of orders together, each order once', async (t) => {
  const accounts = await Promise.all(Array.from({ length: 20 }, () => makeAccount(sql)))
  for (const [unitNo, account] of accounts.entries()) {
    await addOrder(sql, { saleId, accountId: account, unitNos: [unitNo], payInSeconds: -1 })
  }
  const rounds = await Promise.all(Array.from({ length: 8 }, () => expireDueOrders(sql, 4, noHurry)))
  const expired = rounds.flat().map(({ body }) => body.order)
  expired.push(...(await expireDueOrders(sql, 100, noHurry)).map(({ body }) => body.order))
  t.equal(expired.length, 20)
  t.equal(new Set(expired).size, 20)
})

t.test('of expiry and the beginning of payment one wins', async (t) => {
  for (let round = 0; round < 10; round++) {
    const { orderId } = await addOrder(sql, { ...base, unitNos: [0], payInSeconds: -1 })
    const [expired, begun] = await Promise.all([
      expireDueOrders(sql, 10, noHurry),
      sql`update orders set status = 'paying' where id = ${orderId} and status = 'pending'`,
    ])
    t.equal(expired.length + begun.count, 1)
    t.equal(await orderStatus(sql, orderId), begun.count === 1 ? 'paying' : 'expired')
    await sql`update bookings set status = 'released' where order_id = ${orderId}`
  }
})

t.test('a pending order is cancelled, and its payment is left to whoever takes it up', async (t) => {
  const { orderId } = await addOrder(sql, { ...base, unitNos: [0], payment: { state: 'queued' } })
  const hurried: OrderEntry[] = []
  await cancelOrder(sql, { orderId, accountId }, (entry) => hurried.push(entry))
  t.equal(await orderStatus(sql, orderId), 'cancelled')
  t.same(await bookingStatuses(sql, orderId), ['released'])
  t.equal(await paymentState(sql, orderId), 'queued')
  t.same(hurried[0]?.body, { order: orderId, account: accountId, status: 'cancelled', places: [[0, 1, 1]] })
  t.same(await outboxOf(sql, orderId), [hurried[0]?.body])
})

t.test('a booked order is cancelled with all its money; cancelling again changes nothing', async (t) => {
  const { orderId } = await addOrder(sql, { ...base, unitNos: [0, 1], status: 'booked', payment: paid })
  const hurried: OrderEntry[] = []
  const cancel = () => cancelOrder(sql, { orderId, accountId }, (entry) => hurried.push(entry))
  await Promise.all([cancel(), cancel(), cancel()])
  await cancel()
  t.equal(hurried.length, 1)
  t.equal(await orderStatus(sql, orderId), 'cancelled')
  t.same(await bookingStatuses(sql, orderId), ['cancelled', 'cancelled'])
  t.equal(await paymentState(sql, orderId), 'refunding')
  t.equal((await outboxOf(sql, orderId)).length, 1)
  const order = await mustFindOrder(sql, { orderId, accountId })
  t.match(order, { status: 'cancelled', refund: 'under_way' })
})

t.test('a free order is cancelled without a refund', async (t) => {
  const { orderId } = await addOrder(sql, { ...base, unitNos: [0], status: 'booked' })
  await cancelOrder(sql, { orderId, accountId }, noHurry)
  t.equal(await orderStatus(sql, orderId), 'cancelled')
  t.match(await mustFindOrder(sql, { orderId, accountId }), { refund: 'none' })
})

t.test('a paid order is never cancelled without its money going back', async (t) => {
  const { orderId } = await addOrder(sql, {
    ...base,
    unitNos: [0],
    status: 'booked',
    payment: { state: 'void' },
  })
  await t.rejects(cancelOrder(sql, { orderId, accountId }, noHurry), /no approved payment/)
  t.equal(await orderStatus(sql, orderId), 'booked')
  t.same(await bookingStatuses(sql, orderId), ['booked'])
})

t.test('what cannot be cancelled says why and stays as it is', async (t) => {
  const stranger = await makeAccount(sql)
  const refusals = {
    paying: 'payment_under_way',
    refused: 'order_ended',
    expired: 'order_ended',
    abandoned: 'order_ended',
  } as const
  for (const [status, code] of Object.entries(refusals)) {
    const { orderId } = await addOrder(sql, {
      ...base,
      unitNos: [0],
      status: status as keyof typeof refusals,
    })
    await t.rejects(cancelOrder(sql, { orderId, accountId }, noHurry), { code }, status)
    await t.rejects(cancelOrder(sql, { orderId, accountId: stranger }, noHurry), { code: 'no_such_order' })
    t.equal(await orderStatus(sql, orderId), status)
    await sql`update bookings set status = 'released' where order_id = ${orderId}`
  }
  await t.rejects(cancelOrder(sql, { orderId: randomIds.next('ord'), accountId }, noHurry), {
    code: 'no_such_order',
  })
})

t.test('an order with a used ticket is not cancelled, not even in part', async (t) => {
  const { orderId, bookingIds } = await addOrder(sql, {
    ...base,
    unitNos: [0, 1],
    status: 'booked',
    payment: paid,
  })
  await sql`update bookings set checked_in_at = now() where id = ${bookingIds[1] ?? ''}`
  await t.rejects(cancelOrder(sql, { orderId, accountId }, noHurry), { code: 'order_checked_in' })
  t.same(await bookingStatuses(sql, orderId), ['booked', 'booked'])
  t.equal(await paymentState(sql, orderId), 'approved')
  t.same(await outboxOf(sql, orderId), [])
})

t.test('the history is paged newest first, without hidden, abandoned and foreign orders', async (t) => {
  const owner = await makeAccount(sql)
  const made: string[] = []
  // Two orders share each instant, so that only the id tells them apart.
  for (let index = 0; index < 7; index++) {
    const createdAt = new Date(Date.UTC(2026, 0, 1, 0, 0, Math.floor(index / 2)))
    const { orderId } = await addOrder(sql, {
      saleId,
      accountId: owner,
      unitNos: [index],
      status: 'expired',
      createdAt,
    })
    made.push(orderId)
  }
  await addOrder(sql, { saleId, accountId: owner, unitNos: [10], status: 'abandoned' })
  await addOrder(sql, { ...base, unitNos: [11] })
  await hideOrder(sql, { orderId: made[3] ?? '', accountId: owner })
  await hideOrder(sql, { orderId: made[3] ?? '', accountId: owner })

  const seen: string[] = []
  let cursor: string | undefined
  let pages = 0
  do {
    const page = await listOrders(sql, { accountId: owner, cursor, limit: 2 })
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.next ?? undefined
    pages++
  } while (cursor !== undefined)
  t.equal(pages, 3)
  t.same(seen.toSorted(), made.filter((_, index) => index !== 3).toSorted())
  t.equal(seen[0], made[6])
  t.match(await mustFindOrder(sql, { orderId: made[3] ?? '', accountId: owner }), { id: made[3] })
  for (const text of [
    '',
    'x',
    Buffer.from('1:').toString('base64url'),
    Buffer.from('999999999999999999:a').toString('base64url'),
  ]) {
    await t.rejects(listOrders(sql, { accountId: owner, cursor: text, limit: 2 }), {
      code: 'invalid_request',
    })
  }
})

t.test('only an ended order can be hidden, and only by its owner', async (t) => {
  const { orderId } = await addOrder(sql, { ...base, unitNos: [0], status: 'booked' })
  await t.rejects(hideOrder(sql, { orderId, accountId }), { code: 'order_not_ended' })
  const stranger = await makeAccount(sql)
  await t.rejects(hideOrder(sql, { orderId, accountId: stranger }), { code: 'no_such_order' })
  const abandoned = await addOrder(sql, { ...base, unitNos: [1], status: 'abandoned' })
  await t.resolves(hideOrder(sql, { orderId: abandoned.orderId, accountId }), 'it is listed nowhere anyway')
})

t.test('an order tells its places, prices and times', async (t) => {
  const { orderId, bookingIds } = await addOrder(sql, {
    ...base,
    unitNos: [2, 1],
    payment: { state: 'queued' },
  })
  const order = await mustFindOrder(sql, { orderId, accountId })
  t.match(order, {
    id: orderId,
    sale: saleId,
    status: 'pending',
    total: { amountMinor: 2000, currency: 'KRW' },
    refund: 'none',
    payBy: /^2\d{3}-.*Z$/,
    endedAt: null,
  })
  t.same(order.bookings, [
    {
      id: bookingIds[1],
      unit: 'A-01-02',
      priceClass: 'Regular',
      priceMinor: 1000,
      status: 'pending',
      checkedInAt: null,
    },
    {
      id: bookingIds[0],
      unit: 'A-01-03',
      priceClass: 'Regular',
      priceMinor: 1000,
      status: 'pending',
      checkedInAt: null,
    },
  ])
})
