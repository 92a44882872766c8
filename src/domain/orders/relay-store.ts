import type { OutboxPosition } from '../../db/outbox.ts'
import type { Sql } from '../../db/postgres.ts'

/**
 * Takes, or keeps, the place of the one process that relays. The first one begins with the oldest entry there is.
 * @returns where to go on, or undefined while another process relays
 */
export async function leaseRelay(
  sql: Sql,
  options: { reader: string; processId: string; leaseMs: number },
): Promise<OutboxPosition | undefined> {
  const { reader, processId, leaseMs } = options
  const [row] = await sql<OutboxPosition[]>`
    insert into outbox_positions as p (reader, xid, id, lease_owner, lease_until)
    values (${reader}, '0', 0, ${processId}, clock_timestamp() + ${leaseMs} * interval '1 ms')
    on conflict (reader) do update set lease_owner = excluded.lease_owner, lease_until = excluded.lease_until
    where p.lease_owner = ${processId} or p.lease_owner is null or p.lease_until < clock_timestamp()
    returning p.xid::text as xid, p.id`
  return row
}

/** Notes how far the relay came; false when another process has taken its place. */
export async function advanceRelay(
  sql: Sql,
  options: { reader: string; processId: string; position: OutboxPosition },
): Promise<boolean> {
  const { reader, processId, position } = options
  const rows = await sql`
    update outbox_positions set xid = ${position.xid}::text::xid8, id = ${position.id}
    where reader = ${reader} and lease_owner = ${processId}
    returning reader`
  return rows.length > 0
}

export async function releaseRelay(sql: Sql, options: { reader: string; processId: string }): Promise<void> {
  await sql`
    update outbox_positions set lease_owner = null, lease_until = null
    where reader = ${options.reader} and lease_owner = ${options.processId}`
}

/** Forgets entries that the reader has passed long ago, a bounded number at a time. */
export async function trimRelayed(sql: Sql, options: { reader: string; keepHours: number }): Promise<void> {
  await sql`
    delete from outbox where (xid, id) in (
      select o.xid, o.id from outbox o join outbox_positions p on p.reader = ${options.reader}
      where (o.xid, o.id) <= (p.xid, p.id) and o.at < clock_timestamp() - ${options.keepHours} * interval '1 hour'
      order by o.xid, o.id
      limit 10000)`
}
