import type { Sql } from '../../src/db/postgres.ts'
import type { OrderStatus } from '../../src/domain/orders/order.ts'
import type { PaymentState } from '../../src/domain/payments/payment.ts'
import { randomIds } from '../../src/ids.ts'

export interface TestSale {
  readonly saleId: string
  readonly organiserId: string
}

/** A sale of `units` seats with codes A-01, A-02, … at 1,000 KRW each. */
export async function addSale(sql: Sql, options: { units?: number } = {}): Promise<TestSale> {
  const saleId = randomIds.next('sal')
  const organiserId = randomIds.next('org')
  const units = options.units ?? 20
  await sql`insert into organisers (id, name) values (${organiserId}, 'Test')`
  await sql`
    insert into sales (id, organiser_id, kind, title, status, admits, opens_at, closes_at, queue_mode, rate_per_minute,
      max_active, token_ttl_seconds, hold_ttl_seconds, pay_by_seconds, max_per_account, currency, layout, unit_count,
      place_count)
    values (${saleId}, ${organiserId}, 'seats', 'Test', 'open', 'guests', now(), now() + interval '1 day', 'fifo', 600,
      100, 300, 180, 300, 10, 'KRW', '{}', ${units}, ${units})`
  await sql`
    insert into units (sale_id, unit_no, code, capacity, price_minor, price_class)
    select ${saleId}, n, 'A-' || lpad((n + 1)::text, 2, '0'), 1, 1000, 'A' from generate_series(0, ${units - 1}::int) n`
  return { saleId, organiserId }
}

export async function addAccount(sql: Sql): Promise<string> {
  const id = randomIds.next('usr')
  await sql`insert into accounts (id, kind) values (${id}, 'guest')`
  return id
}

export interface TestOrderOptions {
  readonly saleId: string
  readonly accountId: string
  /** Units of the sale, one booking each. */
  readonly unitNos: readonly number[]
  /** `pending` unless told; its bookings follow from it. */
  readonly status?: OrderStatus
  /** Seconds from now; negative for one whose time is over. */
  readonly payInSeconds?: number
  /** A payment in this state; none for undefined. */
  readonly payment?: { readonly state: PaymentState; readonly method?: string }
  readonly createdAt?: Date
}

export interface TestOrder {
  readonly orderId: string
  readonly bookingIds: readonly string[]
  readonly paymentId: string
  readonly chargeKey: string
}

const bookingStatus: Readonly<Record<OrderStatus, string>> = {
  pending: 'pending',
  paying: 'pending',
  booked: 'booked',
  refused: 'released',
  expired: 'released',
  abandoned: 'released',
  cancelled: 'cancelled',
}

/** An order in any state, as the house itself would have left it. */
export async function addOrder(sql: Sql, options: TestOrderOptions): Promise<TestOrder> {
  const { saleId, accountId, unitNos, status = 'pending', payInSeconds = 300, payment } = options
  const orderId = randomIds.next('ord')
  const paymentId = randomIds.next('pay')
  const total = payment === undefined ? 0 : unitNos.length * 1000
  await sql`
    insert into orders (id, sale_id, account_id, hold_id, status, total_minor, currency, pay_by, created_at)
    values (${orderId}, ${saleId}, ${accountId}, 'hol_test', ${status}, ${total}, 'KRW',
      now() + ${payInSeconds}::int * interval '1 second', ${options.createdAt ?? new Date()})`
  const bookingIds = unitNos.map(() => randomIds.next('bkg'))
  for (const [index, unitNo] of unitNos.entries()) {
    await sql`
      insert into bookings (id, order_id, sale_id, unit_no, ordinal, capacity, account_id, nth, status, price_minor)
      values (${bookingIds[index] ?? ''}, ${orderId}, ${saleId}, ${unitNo}, 1, 1, ${accountId}, ${index + 1},
        ${bookingStatus[status]}, 1000)`
  }
  if (payment !== undefined) {
    await sql`
      insert into payments (id, order_id, method, amount_minor, currency, state, charge_key, refund_key)
      values (${paymentId}, ${orderId}, ${payment.method ?? 'sandbox_approve'}, ${total}, 'KRW', ${payment.state},
        ${`${paymentId}_charge`}, ${`${paymentId}_refund`})`
  }
  return { orderId, bookingIds, paymentId, chargeKey: `${paymentId}_charge` }
}

export async function orderStatus(sql: Sql, orderId: string): Promise<string | undefined> {
  return (await sql<{ status: string }[]>`select status from orders where id = ${orderId}`)[0]?.status
}

export async function bookingStatuses(sql: Sql, orderId: string): Promise<string[]> {
  const rows = await sql<{ status: string }[]>`
    select status from bookings where order_id = ${orderId} order by unit_no`
  return rows.map(({ status }) => status)
}

export async function paymentState(sql: Sql, orderId: string): Promise<string | undefined> {
  return (await sql<{ state: string }[]>`select state from payments where order_id = ${orderId}`)[0]?.state
}

/** The bodies of the outbox entries about an order, oldest first. */
export async function outboxOf(sql: Sql, orderId: string): Promise<{ status: string; places: unknown[] }[]> {
  const rows = await sql<{ body: { status: string; places: unknown[] } }[]>`
    select body from outbox where topic = 'order' and body ->> 'order' = ${orderId} order by xid, id`
  return rows.map(({ body }) => body)
}
