import { appendOutbox } from '../../db/outbox.ts'
import type { Sql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { placeTuple, type Hold, type PlaceTuple } from '../units/hold.ts'
import type { HoldStore, PlacesChange } from '../units/hold-store.ts'
import type { UnitSync } from '../units/unit-sync.ts'
import { orderEntry } from './order-outbox.ts'

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
  await options.sync.apply(saleId, await settlePinned(options.sql, saleId, forsaken))
}

/**
 * Decides pinned holds whose order is not known here: their process died between the pin and the commit, or right after
 * it, or the order was made of an earlier hold of the same id. An order that was never written is written now as
 * abandoned, so that a commit which is still under way somewhere fails on its id instead of selling what is free again.
 * @returns what the order has, by its bookings, and what else the hold took: that is free
 */
export async function settlePinned(
  sql: Sql,
  saleId: string,
  holds: readonly Hold[],
): Promise<PlacesChange[]> {
  const pinned = holds.map((hold) => ({ ...hold, orderId: hold.orderId ?? '' }))
  await abandonUnwritten(sql, saleId, pinned)
  const standing = await standingOf(
    sql,
    pinned.map((hold) => hold.orderId),
  )
  return pinned.flatMap((hold) => {
    const { status, places } = standing.get(hold.orderId) ?? { status: 'free', places: [] }
    const owned = new Set(places.map(placeName))
    const rest = hold.places.map(placeTuple).filter((place) => !owned.has(placeName(place)))
    const change = { order: hold.orderId, hold: hold.id, account: hold.accountId }
    // What stands comes first and takes the record of the hold with it; only then is the rest the order's to give back.
    const stands: PlacesChange[] = places.length > 0 ? [{ ...change, status, places }] : []
    const gone: PlacesChange[] = rest.length > 0 ? [{ ...change, status: 'free', places: rest }] : []
    return [...stands, ...gone]
  })
}

type Pinned = Hold & { readonly orderId: string }

async function abandonUnwritten(sql: Sql, saleId: string, pinned: readonly Pinned[]): Promise<void> {
  await transaction(sql, async (tx) => {
    const rows = await tx<{ id: string; accountId: string }[]>`
    insert into orders (id, sale_id, account_id, hold_id, status, total_minor, currency, ended_at)
    select f.id, ${saleId}, f.account_id, f.hold_id, 'abandoned', 0, s.currency, clock_timestamp()
    from unnest(${pinned.map((one) => one.orderId)}::text[], ${pinned.map((one) => one.accountId)}::text[],
      ${pinned.map((one) => one.id)}::text[]) as f (id, account_id, hold_id)
    join sales s on s.id = ${saleId}
    order by f.id
    on conflict (id) do nothing
    returning id, account_id as "accountId"`
    const entries = rows.map((order) => orderEntry({ ...order, saleId }, 'abandoned', []))
    await appendOutbox(tx, entries)
  })
}

interface Standing {
  readonly status: 'pending' | 'booked'
  readonly places: PlaceTuple[]
}

/** By order: the places whose bookings stand. */
async function standingOf(sql: Sql, orderIds: readonly string[]): Promise<Map<string, Standing>> {
  const rows = await sql<{ orderId: string; status: 'pending' | 'booked'; place: PlaceTuple }[]>`
    select order_id as "orderId", status, json_build_array(unit_no, ordinal, nth) as place
    from bookings where order_id = any(${[...orderIds]}) and status in ('pending', 'booked')`
  const standing = new Map<string, Standing>()
  for (const { orderId, status, place } of rows) {
    const known = standing.get(orderId) ?? { status, places: [] }
    known.places.push(place)
    standing.set(orderId, known)
  }
  return standing
}

function placeName([unitNo, ordinal]: PlaceTuple): string {
  return `${unitNo}:${ordinal}`
}
