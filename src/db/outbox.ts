import type { Sql, TransactionSql } from './postgres.ts'

/** A change that others must learn of. Written in the transaction that makes the change, or not at all. */
export interface OutboxEntry {
  readonly saleId: string
  readonly topic: string
  readonly body: unknown
}

/** An entry as read back. `(xid, id)` is its position; xid is a decimal string because it is 64 bits wide. */
export interface OutboxRow extends OutboxEntry {
  readonly xid: string
  readonly id: number
}

export interface OutboxPosition {
  readonly xid: string
  readonly id: number
}

export async function appendOutbox(tx: TransactionSql, entries: readonly OutboxEntry[]): Promise<void> {
  if (entries.length === 0) return
  await tx`
    insert into outbox (sale_id, topic, body)
    select * from unnest(
      ${entries.map((entry) => entry.saleId)}::text[],
      ${entries.map((entry) => entry.topic)}::text[],
      ${entries.map((entry) => JSON.stringify(entry.body))}::text[]::jsonb[])`
}

/**
 * The next entries after `position`, oldest first, of one sale or of all. Entries of transactions that are not yet
 * decided, and any that began after the oldest of these, wait: what is returned is never joined later by an older one.
 */
export async function readOutbox(
  sql: Sql | TransactionSql,
  options: { after: OutboxPosition; limit: number; saleId?: string },
): Promise<OutboxRow[]> {
  const { after, limit, saleId } = options
  return await sql<OutboxRow[]>`
    select xid::text as xid, id, sale_id as "saleId", topic, body
    from outbox
    where (xid, id) > (${after.xid}::text::xid8, ${after.id}::bigint)
      and xid < pg_snapshot_xmin(pg_current_snapshot())
      ${saleId === undefined ? sql`` : sql`and sale_id = ${saleId}`}
    order by xid, id
    limit ${limit}`
}

/** Where a reader that starts now must begin so that it misses nothing the present snapshot does not show. */
export async function presentOutboxPosition(sql: Sql | TransactionSql): Promise<OutboxPosition> {
  const [row] = await sql<{ xid: string }[]>`select pg_snapshot_xmin(pg_current_snapshot())::text as xid`
  if (row === undefined) throw new Error('PostgreSQL returned no snapshot')
  // Everything of an older transaction is in the snapshot; entries of xmin itself and later have ids of at least 1.
  return { xid: row.xid, id: 0 }
}
