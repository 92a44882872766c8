import type { Sql } from '../../db/postgres.ts'

/**
 * Counts the standing bookings of every open store, and answers how many counts have changed. Only these are written, in
 * the order of their ids, so that two processes doing the same cannot wait for each other.
 */
export async function countPopularity(sql: Sql): Promise<number> {
  const changed = await sql`
    with counted as materialized (
      select stores.id, count(bookings.id)::int as standing
      from stores
      left join sales on sales.store_id = stores.id
      left join bookings on bookings.sale_id = sales.id and bookings.status in ('pending', 'booked')
      where stores.status = 'open'
      group by stores.id),
    changed as (
      select id, standing from stores join counted using (id)
      where popularity <> standing
      order by id for no key update of stores)
    update stores set popularity = standing from changed where stores.id = changed.id`
  return changed.count
}
