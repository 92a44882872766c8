import type { Sql } from '../../db/postgres.ts'
import { placeTuple, type Hold } from '../units/hold.ts'
import type { HoldStore, PlacesChange } from '../units/hold-store.ts'
import type { UnitSync } from '../units/unit-sync.ts'
import type { OrderStatus } from './order.ts'

/** Holds swept in one call. */
const batch = 200
/** A commit takes milliseconds; whoever pinned a hold and is silent this long is dead or stopped. */
const pinnedMs = 10_000

/** Ends the holds of a sale whose time is over and decides the forsaken ones. Throws FencedError. */
export async function sweepHolds(
  options: { sql: Sql; holds: HoldStore; sync: UnitSync },
  writership: { saleId: string; fence: number },
): Promise<void> {
  const { saleId, fence } = writership
  const { forsaken } = await options.holds.sweep(saleId, { fence, batch, pinnedMs })
  if (forsaken.length === 0) return
  await options.sync.apply(saleId, await settle(options.sql, saleId, forsaken))
}

/**
 * Decides holds that were pinned long ago by an order nobody has heard of: their process died between the pin and the
 * commit, or right after it. An order that was never written is written now as abandoned, so that a commit which is
 * still under way somewhere fails on its id instead of selling what is free again.
 */
async function settle(sql: Sql, saleId: string, forsaken: readonly Hold[]): Promise<PlacesChange[]> {
  const orders = forsaken.map((hold) => ({ ...hold, orderId: hold.orderId ?? '' }))
  await sql`
    insert into orders (id, sale_id, account_id, hold_id, status, total_minor, currency, ended_at)
    select f.id, ${saleId}, f.account_id, f.hold_id, 'abandoned', 0, s.currency, clock_timestamp()
    from unnest(${orders.map((one) => one.orderId)}::text[], ${orders.map((one) => one.accountId)}::text[],
      ${orders.map((one) => one.id)}::text[]) as f (id, account_id, hold_id)
    join sales s on s.id = ${saleId}
    order by f.id
    on conflict (id) do nothing`
  const rows = await sql<{ id: string; status: OrderStatus }[]>`
    select id, status from orders where id = any(${orders.map((one) => one.orderId)})`
  const statuses = new Map(rows.map((row) => [row.id, row.status]))
  return orders.map((hold) => ({
    order: hold.orderId,
    hold: hold.id,
    account: hold.accountId,
    status: placesStatus(statuses.get(hold.orderId)),
    places: hold.places.map(placeTuple),
  }))
}

function placesStatus(status: OrderStatus | undefined): PlacesChange['status'] {
  if (status === 'pending' || status === 'paying') return 'pending'
  return status === 'booked' ? 'booked' : 'free'
}
