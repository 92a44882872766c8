import type { Sql } from '../../src/db/postgres.ts'
import type { OrderStatus } from '../../src/domain/orders/order.ts'
import type { PaymentState } from '../../src/domain/payments/payment.ts'
import type { Sale } from '../../src/domain/sales/sale.ts'
import { randomIds } from '../../src/ids.ts'
import { makeSale } from './sales.ts'

/** A row of 20 seats at 1,000 KRW, A-01-01 to A-01-20. */
export async function makeRow(sql: Sql, options: { organiserId?: string } = {}): Promise<Sale> {
  const hall = {
    priceClasses: [{ name: 'Regular', priceMinor: 1000 }],
    sections: [{ code: 'A', rows: 1, seatsPerRow: 20, priceClass: 'Regular' }],
  }
  return makeSale(sql, { ...options, changes: { hall } })
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
