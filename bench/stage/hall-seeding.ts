import type { Sql } from '../../src/db/postgres.ts'
import { insertGuests } from './line-filling.ts'

/** Of one account; an order each. */
const seatsOfAccount = 25

/**
 * Writes bookings of so many seats, from one unit on, into PostgreSQL alone: Redis learns of them when it is built anew.
 */
export async function seedBookings(
  sql: Sql,
  { sale, firstUnit, count }: { readonly sale: string; readonly firstUnit: number; readonly count: number },
): Promise<void> {
  const accounts = await insertGuests(sql, Math.ceil(count / seatsOfAccount))
  await sql`
    insert into orders (id, sale_id, account_id, hold_id, status, total_minor, currency)
    select 'ord_' || account || right(${sale}, 8), ${sale}, account, 'hol_' || account || right(${sale}, 8), 'booked', 0,
      'KRW'
    from unnest(${accounts}::text[]) as account`
  await sql`
    insert into bookings (id, order_id, sale_id, unit_no, ordinal, capacity, account_id, nth, status, price_minor, booked_at)
    select 'bkg_' || right(${sale}, 12) || k, 'ord_' || a.account || right(${sale}, 8), ${sale}, ${firstUnit}::int + k, 1, 1,
      a.account, k % ${seatsOfAccount}::int + 1, 'booked', 0, clock_timestamp()
    from unnest(${accounts}::text[]) with ordinality as a (account, place)
    join generate_series(0, ${count - 1}::int) as k on k / ${seatsOfAccount}::int = a.place - 1`
}
