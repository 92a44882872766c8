import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { appendOutbox } from '../../db/outbox.ts'
import type { OrderPlace } from './order.ts'
import { orderEntry, type Hurry, type OrderEntry } from './order-outbox.ts'

/**
 * Ends the pending orders whose time to pay is over, at most `limit` at once, and frees their places. Any number of
 * processes may do so together. An order whose charge is open is left alone until the provider has answered.
 */
export async function expireDueOrders(sql: Sql, limit: number, hurry: Hurry): Promise<OrderEntry[]> {
  const entries = await transaction(sql, async (tx) => {
    const expired = (await expire(tx, limit)).map(({ places, ...order }) =>
      orderEntry(order, 'expired', places),
    )
    await appendOutbox(tx, expired)
    return expired
  })
  for (const entry of entries) hurry(entry)
  return entries
}

interface Expired {
  id: string
  saleId: string
  accountId: string
  places: OrderPlace[]
}

/** The condition stands in the inner select: `for update` tests it again on a row that changed while it waited. */
async function expire(tx: TransactionSql, limit: number): Promise<Expired[]> {
  return tx<Expired[]>`
    with due as (
      select id from orders
      where status = 'pending' and pay_by <= now()
      order by pay_by limit ${limit}
      for update skip locked
    ), ended as (
      update orders set status = 'expired', ended_at = now() from due
      where orders.id = due.id
      returning orders.id, orders.sale_id, orders.account_id
    ), released as (
      update bookings set status = 'released' from ended
      where bookings.order_id = ended.id and bookings.status = 'pending'
      returning bookings.order_id, bookings.unit_no, bookings.ordinal, bookings.nth
    )
    select ended.id, ended.sale_id as "saleId", ended.account_id as "accountId",
      coalesce(json_agg(json_build_array(released.unit_no, released.ordinal, released.nth))
        filter (where released.order_id is not null), '[]') as places
    from ended left join released on released.order_id = ended.id
    group by ended.id, ended.sale_id, ended.account_id`
}
