import type { Sql } from '../../db/postgres.ts'

/** What PostgreSQL knows of how all processes together do. */
export interface HouseReading {
  /** By PostgreSQL's clock. */
  readonly nowMs: number
  /** Sales whose writer has not renewed its lease in time. */
  readonly silent: number
  /** Sales that nobody has a lease of, since a moment ago or for long. */
  readonly unowned: number
  /** How old the oldest entry of the outbox is that was not relayed. */
  readonly outboxMs: number
  /** Payments whose provider did not answer, or which have no outcome for long. */
  readonly paymentsLate: number
}

/**
 * @param options `reader` of the outbox; a lease that ends within `leaseLeftMs` was not renewed in time; `unheardMs`: how
 * long nothing may be heard of a payment
 */
export async function readHouse(
  sql: Sql,
  { reader, leaseLeftMs, unheardMs }: { reader: string; leaseLeftMs: number; unheardMs: number },
): Promise<HouseReading> {
  const [row] = await sql<HouseReading[]>`
    with writers as (
      select w.lease_until from sales s left join sale_writers w on w.sale_id = s.id
      where s.status in ('scheduled', 'open', 'paused', 'soldout')),
    waiting as (
      select o.at from outbox o where (o.xid, o.id) > (
        coalesce((select xid from outbox_positions where reader = ${reader}), '0'::xid8),
        coalesce((select id from outbox_positions where reader = ${reader}), 0))
      order by o.xid, o.id limit 1)
    select extract(epoch from clock_timestamp())::float8 * 1000 as "nowMs",
      (select count(*)::int from writers
        where lease_until < clock_timestamp() + ${leaseLeftMs} * interval '1 ms') as silent,
      (select count(*)::int from writers where lease_until is null) as unowned,
      coalesce((select extract(epoch from clock_timestamp() - at)::float8 * 1000 from waiting), 0) as "outboxMs",
      (select count(*)::int from payments
        where state in ('queued', 'calling', 'unknown', 'refunding') and (state = 'unknown' or attempts > 2
          or updated_at < clock_timestamp() - ${unheardMs} * interval '1 ms')) as "paymentsLate"`
  if (row === undefined) throw new Error('PostgreSQL answered nothing')
  return row
}
