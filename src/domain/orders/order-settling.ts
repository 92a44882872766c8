import type { TransactionSql } from '../../db/postgres.ts'
import { comesFrom, type OrderPlace, type OrderStatus } from './order.ts'
import { appendOrderChange, orderEntry, type ChangedOrder, type OrderEntry } from './order-outbox.ts'

/**
 * The charge was approved: a `paying` order becomes `booked`, with its bookings. Undefined when the order is no longer
 * `paying`, so that the money must be given back, or when it was settled before.
 */
export async function settleApproved(tx: TransactionSql, orderId: string): Promise<OrderEntry | undefined> {
  const order = await endPaying(tx, orderId, 'booked')
  if (order === undefined) return undefined
  const places = await tx<{ unitNo: number; ordinal: number; nth: number }[]>`
    update bookings set status = 'booked', booked_at = now()
    where order_id = ${orderId} and status = 'pending'
    returning unit_no as "unitNo", ordinal, nth`
  return settle(tx, order, 'booked', places)
}

/** The charge was refused: a `paying` order becomes `refused` and its places are free. Undefined as above. */
export async function settleRefused(tx: TransactionSql, orderId: string): Promise<OrderEntry | undefined> {
  const order = await endPaying(tx, orderId, 'refused')
  if (order === undefined) return undefined
  const places = await tx<{ unitNo: number; ordinal: number; nth: number }[]>`
    update bookings set status = 'released'
    where order_id = ${orderId} and status = 'pending'
    returning unit_no as "unitNo", ordinal, nth`
  return settle(tx, order, 'refused', places)
}

async function endPaying(
  tx: TransactionSql,
  orderId: string,
  status: 'booked' | 'refused',
): Promise<ChangedOrder | undefined> {
  const [order] = await tx<ChangedOrder[]>`
    update orders set status = ${status}, ended_at = case when ${status} = 'refused' then now() end
    where id = ${orderId} and status = any(${comesFrom(status)})
    returning id, sale_id as "saleId", account_id as "accountId"`
  return order
}

async function settle(
  tx: TransactionSql,
  order: ChangedOrder,
  status: OrderStatus,
  rows: readonly { unitNo: number; ordinal: number; nth: number }[],
): Promise<OrderEntry> {
  // Whoever ended the bookings of an open payment broke the table in order.ts; better to stop than to sell nothing.
  if (rows.length === 0) throw new Error(`Order ${order.id} was paying without a pending booking`)
  const places = rows.map(({ unitNo, ordinal, nth }): OrderPlace => [unitNo, ordinal, nth])
  return appendOrderChange(tx, orderEntry(order, status, places))
}
