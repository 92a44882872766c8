import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { Problem } from '../../errors.ts'
import type { PaymentState } from '../payments/payment.ts'
import { pageOf, readCursor } from '../page-cursor.ts'
import { orderErrors } from './order-errors.ts'
import { isOrderId, type BookingMessage, type OrderMessage } from './order-messages.ts'
import { hasEnded, orderStatuses, type OrderStatus } from './order.ts'

/** One order of an account, also a hidden or an abandoned one. Throws `no_such_order`. */
export async function mustFindOrder(
  sql: Sql | TransactionSql,
  { orderId, accountId }: { orderId: string; accountId: string },
): Promise<OrderMessage> {
  if (!isOrderId(orderId)) throw new Problem(orderErrors.no_such_order)
  const rows = await sql<OrderRow[]>`
    select ${orderColumns(sql)}
    from orders left join payments on payments.order_id = orders.id
    where orders.id = ${orderId} and account_id = ${accountId}`
  const [order] = await withBookings(sql, rows)
  if (order === undefined) throw new Problem(orderErrors.no_such_order)
  return order
}

/**
 * The orders of a crowd, hidden ones too, in two queries together: for each asked for, in the same order, what the account
 * has under this id; undefined for nothing.
 */
export async function findOrders(
  sql: Sql,
  asked: readonly { readonly orderId: string; readonly accountId: string }[],
): Promise<(OrderMessage | undefined)[]> {
  const rows = await sql<(OrderRow & { accountId: string })[]>`
    select ${orderColumns(sql)}, account_id as "accountId"
    from orders left join payments on payments.order_id = orders.id
    where orders.id = any(${asked.map(({ orderId }) => orderId)}) and orders.status <> 'abandoned'`
  const orders = await withBookings(sql, rows)
  const found = new Map(rows.map(({ id, accountId }, index) => [`${id} ${accountId}`, orders[index]]))
  return asked.map(({ orderId, accountId }) => found.get(`${orderId} ${accountId}`))
}

/** An account's history, newest first, without what it has hidden. */
export async function listOrders(
  sql: Sql,
  { accountId, cursor, limit }: { accountId: string; cursor?: string | undefined; limit: number },
): Promise<{ items: OrderMessage[]; next: string | null }> {
  const after = cursor === undefined ? undefined : readCursor(cursor)
  const rows = await sql<OrderRow[]>`
    select ${orderColumns(sql)}
    from orders left join payments on payments.order_id = orders.id
    where account_id = ${accountId} and orders.status <> 'abandoned' and not hidden
      ${after === undefined ? sql`` : sql`and (orders.created_at, orders.id) < (${new Date(after.at)}, ${after.id})`}
    order by orders.created_at desc, orders.id desc
    limit ${limit + 1}`
  const page = pageOf(rows, limit, ({ createdAt, id }) => ({ at: createdAt.getTime(), id }))
  return { items: await withBookings(sql, page.items), next: page.next }
}

const endedStatuses = orderStatuses.filter(hasEnded)

/** Takes an ended order out of the history; once more is no error. Throws `no_such_order`, `order_not_ended`. */
export async function hideOrder(
  sql: Sql,
  { orderId, accountId }: { orderId: string; accountId: string },
): Promise<void> {
  if (!isOrderId(orderId)) throw new Problem(orderErrors.no_such_order)
  const hidden = await sql`
    update orders set hidden = true
    where id = ${orderId} and account_id = ${accountId} and status = any(${endedStatuses})`
  if (hidden.count === 1) return
  await mustFindOrder(sql, { orderId, accountId })
  throw new Problem(orderErrors.order_not_ended)
}

interface OrderRow {
  id: string
  saleId: string
  status: OrderStatus
  totalMinor: number
  currency: string
  payBy: Date | null
  createdAt: Date
  endedAt: Date | null
  paymentState: PaymentState | null
}

const orderColumns = (sql: Sql | TransactionSql) => sql`
  orders.id, sale_id as "saleId", orders.status, total_minor as "totalMinor", orders.currency, pay_by as "payBy",
  orders.created_at as "createdAt", ended_at as "endedAt", payments.state as "paymentState"`

interface BookingRow {
  id: string
  orderId: string
  unit: string
  priceClass: string
  priceMinor: number
  status: BookingMessage['status']
  checkedInAt: Date | null
}

/** One more query for all orders of a page together. */
async function withBookings(sql: Sql | TransactionSql, orders: readonly OrderRow[]): Promise<OrderMessage[]> {
  if (orders.length === 0) return []
  const rows = await sql<BookingRow[]>`
    select bookings.id, order_id as "orderId", units.code as unit, units.price_class as "priceClass",
      bookings.price_minor as "priceMinor", bookings.status, checked_in_at as "checkedInAt"
    from bookings join units on units.sale_id = bookings.sale_id and units.unit_no = bookings.unit_no
    where order_id = any(${orders.map(({ id }) => id)})
    order by bookings.unit_no, bookings.ordinal`
  const bookings = new Map<string, BookingRow[]>(orders.map(({ id }) => [id, []]))
  for (const row of rows) bookings.get(row.orderId)?.push(row)
  return orders.map((order) => orderView(order, bookings.get(order.id) ?? []))
}

function orderView(row: OrderRow, bookings: readonly BookingRow[]): OrderMessage {
  return {
    id: row.id,
    sale: row.saleId,
    status: row.status,
    total: { amountMinor: row.totalMinor, currency: row.currency },
    refund:
      row.paymentState === 'refunding' ? 'under_way' : row.paymentState === 'refunded' ? 'done' : 'none',
    payBy: row.status === 'pending' ? (row.payBy?.toISOString() ?? null) : null,
    createdAt: row.createdAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
    bookings: bookings.map(bookingView),
  }
}

function bookingView({ id, unit, priceClass, priceMinor, status, checkedInAt }: BookingRow): BookingMessage {
  return { id, unit, priceClass, priceMinor, status, checkedInAt: checkedInAt?.toISOString() ?? null }
}
