import { pino } from 'pino'
import t from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { MemoryKeyStore } from '../../../test/support/memory-key-store.ts'
import { addOrder, makeRow, orderStatus } from '../../../test/support/order-fixtures.ts'
import { makeAccount, makeOrganiser } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { randomIds } from '../../ids.ts'
import { SigningKeys } from '../accounts/signing-keys.ts'
import { cancelOrder } from '../orders/order-cancelling.ts'
import { noHurry } from '../orders/order-outbox.ts'
import { mustFindOrder } from '../orders/order-store.ts'
import { checkIn } from './checking-in.ts'
import { listRevoked, mustFindTicket } from './ticket-store.ts'
import { TicketCodes } from './ticket.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 8, name: 'tickets-test' })
t.teardown(() => sql.end())

const clock = new FakeClock(Date.now())
const keys = new SigningKeys({
  store: new MemoryKeyStore(),
  clock,
  ids: randomIds,
  log: pino({ level: 'silent' }),
})
await keys.run()
t.teardown(() => keys.stop())
const codes = new TicketCodes(keys)

const organiserId = await makeOrganiser(sql)
const { id: saleId } = await makeRow(sql, { organiserId })
t.afterEach(async () => {
  await sql`update bookings set status = 'released', checked_in_at = null where status in ('pending', 'booked')`
})

/** A booked order with its tickets' codes. */
async function booked(unitNos: readonly number[] = [0]) {
  const accountId = await makeAccount(sql)
  const order = await addOrder(sql, { saleId, accountId, unitNos, status: 'booked' })
  const tickets = await Promise.all(
    order.bookingIds.map((bookingId) => mustFindTicket(sql, { bookingId, accountId })),
  )
  return {
    ...order,
    accountId,
    tickets,
    codes: await Promise.all(tickets.map((ticket) => codes.sign(ticket))),
  }
}

const enter = (code: string, organiser = organiserId) =>
  checkIn({ sql, codes }, { code, organiserId: organiser })

t.test('a ticket names the booking, the sale, the unit and the issue', async (t) => {
  const { tickets, bookingIds } = await booked([4])
  t.same(tickets, [{ booking: bookingIds[0], sale: saleId, unit: 'A-01-05', issue: 1 }])
})

t.test('only a standing booking has a ticket, and only for its owner', async (t) => {
  const { bookingIds, accountId } = await booked()
  const stranger = await makeAccount(sql)
  const bookingId = bookingIds[0] ?? ''
  await t.rejects(mustFindTicket(sql, { bookingId, accountId: stranger }), { code: 'no_such_booking' })
  for (const id of [randomIds.next('bkg'), 'x', '', '\0']) {
    await t.rejects(mustFindTicket(sql, { bookingId: id, accountId }), { code: 'no_such_booking' })
  }
  for (const [unitNo, status] of (
    ['pending', 'paying', 'refused', 'expired', 'cancelled'] as const
  ).entries()) {
    const order = await addOrder(sql, { saleId, accountId: stranger, unitNos: [unitNo + 1], status })
    const ask = mustFindTicket(sql, { bookingId: order.bookingIds[0] ?? '', accountId: stranger })
    await t.rejects(ask, { code: 'not_booked' }, status)
    await sql`update bookings set status = 'released' where order_id = ${order.orderId}`
  }
})

t.test('a ticket lets in once, and afterwards says when it did', async (t) => {
  const { codes: all, bookingIds, orderId, accountId } = await booked()
  const code = all[0] ?? ''
  const tries = await Promise.allSettled(Array.from({ length: 10 }, () => enter(code)))
  const entered = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  t.equal(entered.length, 1)
  t.match(entered[0], { id: bookingIds[0], sale: saleId, order: orderId, unit: 'A-01-01' })
  const refused: unknown = await enter(code).catch((error: unknown) => error)
  t.match(refused, {
    code: 'already_checked_in',
    options: { extra: { checkedInAt: entered[0]?.checkedInAt } },
  })
  const order = await mustFindOrder(sql, { orderId, accountId })
  t.equal(order.bookings[0]?.checkedInAt, entered[0]?.checkedInAt)
})

t.test('the tickets of an order let in one by one', async (t) => {
  const { codes: all } = await booked([0, 1, 2])
  for (const code of all) await t.resolves(enter(code))
})

t.test('another organiser learns nothing of a ticket and does not use it up', async (t) => {
  const { codes: all } = await booked()
  const code = all[0] ?? ''
  await t.rejects(enter(code, await makeOrganiser(sql)), { code: 'no_such_booking' })
  await t.resolves(enter(code))
})

t.test('a cancelled ticket is revoked: at the door and in the list', async (t) => {
  const { codes: all, orderId, accountId, bookingIds } = await booked([0, 1])
  await cancelOrder(sql, { orderId, accountId }, noHurry)
  for (const code of all) await t.rejects(enter(code), { code: 'ticket_revoked' })
  const { items } = await listRevoked(sql, { saleId, limit: 1000 })
  for (const booking of bookingIds) t.ok(items.some((item) => item.booking === booking && item.issue === 1))
})

t.test('an earlier issue of a ticket is revoked', async (t) => {
  const { codes: all, tickets, bookingIds } = await booked()
  await sql`update bookings set issue = 2 where id = ${bookingIds[0] ?? ''}`
  await t.rejects(enter(all[0] ?? ''), { code: 'ticket_revoked' })
  await t.resolves(enter(await codes.sign({ ...tickets[0]!, issue: 2 })))
  await t.rejects(enter(all[0] ?? ''), { code: 'ticket_revoked' })
})

t.test('a good signature over a booking of another sale, or of none, does not let in', async (t) => {
  const { tickets } = await booked()
  const { id: otherSale } = await makeRow(sql, { organiserId })
  const forOther = await codes.sign({ ...tickets[0]!, sale: otherSale })
  const forNone = await codes.sign({ ...tickets[0]!, booking: randomIds.next('bkg') })
  for (const code of [forOther, forNone]) await t.rejects(enter(code), { code: 'no_such_booking' })
})

t.test('of cancelling and checking in exactly one happens', async (t) => {
  let cancelled = 0
  for (let round = 0; round < 30; round++) {
    const { orderId, accountId, codes: all } = await booked([0, 1])
    const [cancel, checkin] = await Promise.allSettled([
      cancelOrder(sql, { orderId, accountId }, noHurry),
      enter(all[round % 2] ?? ''),
    ])
    t.not(cancel.status, checkin.status, `round ${round}`)
    const rows = await sql<{ status: string; used: boolean }[]>`
      select status, checked_in_at is not null as used from bookings where order_id = ${orderId} order by unit_no`
    if (cancel.status === 'fulfilled') {
      cancelled++
      t.same(
        [...rows],
        [
          { status: 'cancelled', used: false },
          { status: 'cancelled', used: false },
        ],
      )
      t.equal(await orderStatus(sql, orderId), 'cancelled')
    } else {
      t.same(
        rows.map(({ status }) => status),
        ['booked', 'booked'],
      )
      t.equal(await orderStatus(sql, orderId), 'booked')
    }
    await sql`update bookings set status = 'released', checked_in_at = null where order_id = ${orderId} and status = 'booked'`
  }
  t.comment(`${cancelled} of 30 were cancelled`)
})

t.test('the list of revoked tickets is paged, the earliest first', async (t) => {
  const { id } = await makeRow(sql, { organiserId })
  const accountId = await makeAccount(sql)
  const made: string[] = []
  for (let unitNo = 0; unitNo < 7; unitNo++) {
    const { orderId, bookingIds } = await addOrder(sql, {
      saleId: id,
      accountId,
      unitNos: [unitNo],
      status: 'cancelled',
    })
    const at = new Date(Date.UTC(2026, 0, 1, 0, 0, Math.floor(unitNo / 2)))
    await sql`update bookings set cancelled_at = ${at} where order_id = ${orderId}`
    made.push(...bookingIds)
  }
  const seen: { booking: string; at: string }[] = []
  let cursor: string | undefined
  do {
    const page = await listRevoked(sql, { saleId: id, cursor, limit: 3 })
    t.ok(page.items.length <= 3)
    seen.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  t.same(seen.map(({ booking }) => booking).toSorted(), made.toSorted())
  t.same(
    seen.map(({ at }) => at),
    seen.map(({ at }) => at).toSorted(),
  )
  await t.rejects(listRevoked(sql, { saleId: id, cursor: 'x', limit: 3 }), { code: 'invalid_request' })
})
