import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { Problem } from '../../errors.ts'
import { orderErrors } from './order-errors.ts'
import { isOrderId } from './order-messages.ts'
import {
  appendOrderChange,
  orderEntry,
  type ChangedOrder,
  type Hurry,
  type OrderEntry,
} from './order-outbox.ts'
import type { OrderPlace, OrderStatus } from './order.ts'

/**
 * A buyer gives an order back: a pending one as it is, a booked one as long as none of its tickets was used, with all
 * of its money. Cancelling what is cancelled changes nothing and is no error.
 *
 * Throws `no_such_order`, `payment_under_way`, `order_ended`, `order_checked_in`.
 */
export async function cancelOrder(
  sql: Sql,
  who: { readonly orderId: string; readonly accountId: string },
  hurry: Hurry,
): Promise<void> {
  if (!isOrderId(who.orderId)) throw new Problem(orderErrors.no_such_order)
  const entry = await transaction(sql, async (tx) => {
    const order = await mustFindForUpdate(tx, who)
    switch (order.status) {
      case 'pending':
        return cancelPending(tx, order)
      case 'booked':
        return cancelBooked(tx, order)
      case 'cancelled':
        return undefined
      case 'paying':
        throw new Problem(orderErrors.payment_under_way, { retryAfterSeconds: 2 })
      case 'refused':
      case 'expired':
      case 'abandoned':
        throw new Problem(orderErrors.order_ended)
    }
  })
  if (entry !== undefined) hurry(entry)
}

interface FoundOrder extends ChangedOrder {
  readonly status: OrderStatus
  readonly totalMinor: number
}

async function mustFindForUpdate(
  tx: TransactionSql,
  { orderId, accountId }: { orderId: string; accountId: string },
): Promise<FoundOrder> {
  const [order] = await tx<FoundOrder[]>`
    select id, sale_id as "saleId", account_id as "accountId", status, total_minor as "totalMinor"
    from orders where id = ${orderId} and account_id = ${accountId}
    for update`
  if (order === undefined) throw new Problem(orderErrors.no_such_order)
  return order
}

/** Its payment is not touched: whoever takes it up finds that the order no longer waits for it. */
async function cancelPending(tx: TransactionSql, order: FoundOrder): Promise<OrderEntry> {
  const freed = await tx<PlaceRow[]>`
    update bookings set status = 'released'
    where order_id = ${order.id} and status = 'pending'
    returning unit_no as "unitNo", ordinal, nth`
  return endAsCancelled(tx, order, freed)
}

/** A check-in is a conditional update of the same rows, so for each ticket one of the two comes first and wins. */
async function cancelBooked(tx: TransactionSql, order: FoundOrder): Promise<OrderEntry> {
  const freed = await tx<PlaceRow[]>`
    update bookings set status = 'cancelled', cancelled_at = now()
    where order_id = ${order.id} and status = 'booked' and checked_in_at is null
    returning unit_no as "unitNo", ordinal, nth`
  const [left] = await tx<{ used: boolean }[]>`
    select exists (select from bookings where order_id = ${order.id} and status = 'booked') as used`
  if (left?.used === true) throw new Problem(orderErrors.order_checked_in)
  if (order.totalMinor > 0) await beginRefund(tx, order)
  return endAsCancelled(tx, order, freed)
}

async function beginRefund(tx: TransactionSql, order: FoundOrder): Promise<void> {
  const begun = await tx`
    update payments set state = 'refunding', next_at = now(), updated_at = now()
    where order_id = ${order.id} and state = 'approved'`
  // Without a captured payment a paid order could not have become booked; never free a place and keep the money.
  if (begun.count !== 1) throw new Error(`Booked order ${order.id} has no approved payment`)
}

interface PlaceRow {
  unitNo: number
  ordinal: number
  nth: number
}

async function endAsCancelled(
  tx: TransactionSql,
  order: FoundOrder,
  freed: readonly PlaceRow[],
): Promise<OrderEntry> {
  await tx`
    update orders set status = 'cancelled', ended_at = now() where id = ${order.id} and status = ${order.status}`
  const places = freed.map(({ unitNo, ordinal, nth }): OrderPlace => [unitNo, ordinal, nth])
  return appendOrderChange(tx, orderEntry(order, 'cancelled', places))
}
