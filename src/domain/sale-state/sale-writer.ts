import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { silentSeconds } from '../processes/process-store.ts'
import { FencedError } from './sale-failures.ts'

/** A sale whose writer this process is. Whatever it writes carries the fence. */
export interface Writership {
  readonly saleId: string
  readonly fence: number
  readonly epoch: number
  /** Redis' run_id under which that epoch was built; null before the first. */
  readonly storeRunId: string | null
}

/** Statuses in which a sale needs a writer. */
const written = ['scheduled', 'open', 'paused', 'soldout']

/**
 * Sales that need a writer and have none now, in no particular order.
 * @param limit how many at the most
 */
export async function forsakenSales(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select s.id from sales s left join sale_writers w on w.sale_id = s.id
    where (s.status = any(${written}) or (s.status = 'closed' and w.lease_owner is not null))
      and (w.lease_until is null or w.lease_until < clock_timestamp())
    limit ${limit}`
  return rows.map((row) => row.id)
}

/** What is to be shared by those who write, and by how many. */
export interface WritingShares {
  /** Sales that need a writer, whether or not they have one. */
  readonly sales: number
  /** Processes that may write to sales and, by all that is known, do: none of their leases has run out. */
  readonly writers: number
  /** Until a lease of another process runs out, should it not be prolonged; null where nobody else has one. */
  readonly nextEndMs: number | null
}

export async function writingShares(sql: Sql, processId: string): Promise<WritingShares> {
  const [row] = await sql<WritingShares[]>`
    with held as (
      select w.lease_owner as owner, w.lease_until as until from sales s left join sale_writers w on w.sale_id = s.id
      where s.status = any(${written}) or (s.status = 'closed' and w.lease_owner is not null))
    select (select count(*)::int from held) as sales,
      (select count(*)::int from processes p
        where 'admission' = any(p.roles) and p.seen_at > clock_timestamp() - ${silentSeconds} * interval '1 second'
          and not exists (select from held where owner = p.id and until < clock_timestamp())) as writers,
      (select extract(epoch from min(until) - clock_timestamp())::float8 * 1000 from held
        where owner <> ${processId} and until > clock_timestamp()) as "nextEndMs"`
  if (row === undefined) throw new Error('PostgreSQL answered nothing')
  return row
}

/**
 * Makes this process the writer if nobody holds the lease.
 * @returns undefined when somebody else was quicker; `tookOver`: the writer before fell silent, and did not give it up
 */
export async function becomeWriter(
  sql: Sql | TransactionSql,
  options: { saleId: string; processId: string; leaseMs: number },
): Promise<(Writership & { readonly tookOver: boolean }) | undefined> {
  const { saleId, processId, leaseMs } = options
  const [row] = await sql<(Writership & { tookOver: boolean })[]>`
    insert into sale_writers as w (sale_id, fence, lease_owner, lease_until)
    values (${saleId}, 1, ${processId}, clock_timestamp() + ${leaseMs} * interval '1 ms')
    on conflict (sale_id) do update
    set fence = w.fence + 1, lease_owner = excluded.lease_owner, lease_until = excluded.lease_until
    where w.lease_until is null or w.lease_until < clock_timestamp()
    returning sale_id as "saleId", fence, epoch, store_run_id as "storeRunId",
      -- As it was before.
      coalesce((select lease_until is not null from sale_writers where sale_id = ${saleId}), false) as "tookOver"`
  return row
}

/** Prolongs the leases of this process. Resolves to the sales that are still its own. */
export async function renewLeases(
  sql: Sql,
  options: { processId: string; leaseMs: number; held: readonly Writership[] },
): Promise<Set<string>> {
  const { processId, leaseMs, held } = options
  const rows = await sql<{ sale_id: string }[]>`
    update sale_writers w set lease_until = clock_timestamp() + ${leaseMs} * interval '1 ms'
    from unnest(${held.map((one) => one.saleId)}::text[], ${held.map((one) => one.fence)}::bigint[])
      as h (sale_id, fence)
    where w.sale_id = h.sale_id and w.fence = h.fence and w.lease_owner = ${processId} and w.lease_until is not null
    returning w.sale_id`
  return new Set(rows.map((row) => row.sale_id))
}

/**
 * Gives a lease up, so that the next writer need not wait for its end. The owner's name stays unless the sale is `over`:
 * it says that Redis still has something of a sale that was closed meanwhile.
 * @returns whether it was not somebody else's by then
 */
export async function releaseLease(sql: Sql, writership: Writership, over = false): Promise<boolean> {
  const released = await sql`
    update sale_writers set lease_owner = case when ${over} then null else lease_owner end, lease_until = null
    where sale_id = ${writership.saleId} and fence = ${writership.fence}`
  return released.count > 0
}

/**
 * Begins a new epoch.
 * @returns its number, and when it began by PostgreSQL's clock
 * @throws FencedError another process has become the writer
 */
export async function raiseEpoch(
  sql: Sql,
  options: { saleId: string; fence: number; storeRunId: string },
): Promise<{ epoch: number; since: Date }> {
  const { saleId, fence, storeRunId } = options
  const [row] = await sql<{ epoch: number; since: Date }[]>`
    update sale_writers set epoch = epoch + 1, store_run_id = ${storeRunId}, epoch_since = clock_timestamp()
    where sale_id = ${saleId} and fence = ${fence}
    returning epoch, epoch_since as since`
  if (row === undefined) throw new FencedError(`the fence ${fence} of ${saleId} is not the newest`)
  return row
}
