import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { retried, transaction } from '../../db/transaction.ts'
import { FencedError } from '../sale-state/sale-failures.ts'
import type { Admission } from './queue-place.ts'
import type { Waiter } from './queue-store.ts'

export interface Grant extends Admission {
  readonly accountId: string
}

/** Why an admission ended; `no_show`: why a place in the line did, before there was one. */
export type Ending = 'ended' | 'left' | 'fulfilled' | 'sale_closed' | 'no_show'

export interface Closing {
  readonly sequence: number
  readonly accountId: string
  readonly reason: Ending
  readonly atMs: number
}

/**
 * Makes one tick of the gate durable: endings and admissions, refused when the fence is not the newest. Repeating it
 * changes nothing.
 * @returns the accounts whose admission stands; whoever is missing may not be told
 * @throws FencedError another process has become the writer
 */
export async function recordAdmissions(
  sql: Sql,
  tick: { saleId: string; fence: number; grants: readonly Grant[]; closings: readonly Closing[] },
): Promise<Set<string>> {
  const { saleId, grants, closings } = tick
  const inserted = await retried(() => record(sql, tick))
  // Mostly nothing was there before: then that was all there was to do.
  if (inserted === grants.length) {
    const ended = new Set(closings.map(({ sequence }) => sequence))
    return new Set(grants.filter(({ sequence }) => !ended.has(sequence)).map(({ accountId }) => accountId))
  }
  return await transaction(sql, async (tx) => {
    if (!(await holdsFence(tx, tick))) throw fenced(tick)
    const standing = await replaceOlder(tx, saleId, grants)
    await close(tx, saleId, closings)
    return standing
  })
}

function fenced({ saleId, fence }: { saleId: string; fence: number }): FencedError {
  return new FencedError(`the fence ${fence} of ${saleId} is not the newest`)
}

/**
 * Writes a tick by one statement, since a gate waits for each way to PostgreSQL and back, and holds a connection meanwhile.
 * A statement does not see the rows that it inserts, so who comes and goes in one tick is inserted as gone.
 * @returns how many were not there before
 */
async function record(
  sql: Sql,
  { saleId, fence, grants, closings }: Parameters<typeof recordAdmissions>[1],
): Promise<number> {
  const endings = new Map(closings.map((closing) => [closing.sequence, closing]))
  const ended = grants.map(({ sequence }) => endings.get(sequence))
  const lost = closings.filter(({ reason }) => reason === 'no_show')
  const [row] = await sql<{ isWriter: boolean; inserted: number }[]>`
    with writer as materialized (
      -- The lock makes a younger writer wait until this is committed, and this one see the younger fence.
      select 1 from sale_writers where sale_id = ${saleId} and fence = ${fence} for share),
    inserted as (
      insert into admissions (sale_id, sequence, account_id, admitted_at, expires_at, closed_at, closed_as)
      select ${saleId}, g.sequence, g.account_id, to_timestamp(g.admitted_ms / 1000.0),
        to_timestamp(g.expires_ms / 1000.0), to_timestamp(g.closed_ms / 1000.0), g.closed_as
      from writer, unnest(${grants.map((g) => g.sequence)}::bigint[], ${grants.map((g) => g.accountId)}::text[],
        ${grants.map((g) => g.admittedAtMs)}::float8[], ${grants.map((g) => g.expiresAtMs)}::float8[],
        ${ended.map((e) => e?.atMs ?? null)}::float8[], ${ended.map((e) => e?.reason ?? null)}::text[])
        as g (sequence, account_id, admitted_ms, expires_ms, closed_ms, closed_as)
      on conflict do nothing
      returning 1),
    closed as (
      update admissions a set closed_at = to_timestamp(c.at_ms / 1000.0), closed_as = c.reason
      from writer, unnest(${closings.map((c) => c.sequence)}::bigint[], ${closings.map((c) => c.reason)}::text[],
        ${closings.map((c) => c.atMs)}::float8[]) as c (sequence, reason, at_ms)
      where a.sale_id = ${saleId} and a.account_id = any(${closings.map((c) => c.accountId)}::text[])
        and a.sequence = c.sequence and a.closed_at is null),
    -- A ticket for a place that was lost by staying away brings nothing back.
    given_up as (
      insert into queue_leaves (sale_id, sequence, account_id, reason)
      select ${saleId}, lost.*, 'no_show' from writer, unnest(${lost.map((c) => c.sequence)}::bigint[],
        ${lost.map((c) => c.accountId)}::text[]) as lost
      on conflict do nothing)
    select exists (select from writer) as "isWriter", (select count(*)::int from inserted) as inserted`
  if (row?.isWriter !== true) throw fenced({ saleId, fence })
  return row.inserted
}

/** The lock makes a younger writer wait until this is committed, and this one see the younger fence. */
async function holdsFence(
  tx: TransactionSql,
  { saleId, fence }: { saleId: string; fence: number },
): Promise<boolean> {
  const writer = await tx`
    select 1 from sale_writers where sale_id = ${saleId} and fence = ${fence} for share`
  return writer.length > 0
}

/*
 * A sale opens on a table whose statistics are of yesterday, or of nothing: PostgreSQL then takes a sale for one row,
 * and any index that begins with the sale for as good as any other. Statements that looked for each of a thousand
 * grants among all of the sale's admissions took two seconds after ten thousand of them, nearly as long as a lease lasts.
 * So nothing is looked for where nothing can be, and else by account, for which there is one index only.
 */

/** Resolves to those whose admission stands, where others of the same accounts, or the same ones, were there before. */
async function replaceOlder(
  tx: TransactionSql,
  saleId: string,
  grants: readonly Grant[],
): Promise<Set<string>> {
  const accounts = grants.map((grant) => grant.accountId)
  const sequences = grants.map((grant) => grant.sequence)
  // Redis decides who is in during an epoch: an older admission that it no longer knows is over.
  await tx`
    update admissions set closed_at = least(expires_at, clock_timestamp()), closed_as = 'ended'
    where sale_id = ${saleId} and account_id = any(${accounts}::text[]) and closed_at is null
      and (account_id, sequence) not in (select * from unnest(${accounts}::text[], ${sequences}::bigint[]))`
  await insertAdmissions(tx, saleId, grants)
  const standing = await tx<{ account_id: string }[]>`
    select account_id from admissions
    where sale_id = ${saleId} and account_id = any(${accounts}::text[]) and closed_at is null
      and (account_id, sequence) in (select * from unnest(${accounts}::text[], ${sequences}::bigint[]))`
  return new Set(standing.map((row) => row.account_id))
}

async function insertAdmissions(tx: TransactionSql, saleId: string, grants: readonly Grant[]): Promise<void> {
  await tx`
    insert into admissions (sale_id, sequence, account_id, admitted_at, expires_at)
    select ${saleId}, g.sequence, g.account_id, to_timestamp(g.admitted_ms / 1000.0), to_timestamp(g.expires_ms / 1000.0)
    from unnest(${grants.map((g) => g.sequence)}::bigint[], ${grants.map((g) => g.accountId)}::text[],
      ${grants.map((g) => g.admittedAtMs)}::float8[], ${grants.map((g) => g.expiresAtMs)}::float8[])
      as g (sequence, account_id, admitted_ms, expires_ms)
    on conflict do nothing`
}

async function close(tx: TransactionSql, saleId: string, closings: readonly Closing[]): Promise<void> {
  if (closings.length === 0) return
  const accounts = closings.map((c) => c.accountId)
  await tx`
    update admissions a set closed_at = to_timestamp(c.at_ms / 1000.0), closed_as = c.reason
    from unnest(${closings.map((c) => c.sequence)}::bigint[], ${closings.map((c) => c.reason)}::text[],
      ${closings.map((c) => c.atMs)}::float8[]) as c (sequence, reason, at_ms)
    where a.sale_id = ${saleId} and a.account_id = any(${accounts}::text[]) and a.sequence = c.sequence
      and a.closed_at is null`
}

/** Admissions that bind a rebuilt gate: those that are open, and those of the last minute, which count for the pace. */
export async function bindingAdmissions(
  sql: Sql | TransactionSql,
  saleId: string,
): Promise<(Grant & { readonly open: boolean })[]> {
  const rows = await sql<
    { accountId: string; sequence: number; admittedAt: Date; expiresAt: Date; open: boolean }[]
  >`
    select account_id as "accountId", sequence, admitted_at as "admittedAt", expires_at as "expiresAt",
      closed_at is null as open
    from admissions
    where sale_id = ${saleId}
      and (closed_at is null or admitted_at > clock_timestamp() - interval '2 minutes')
    order by admitted_at, sequence`
  return rows.map((row) => ({
    accountId: row.accountId,
    sequence: row.sequence,
    admittedAtMs: row.admittedAt.getTime(),
    expiresAtMs: row.expiresAt.getTime(),
    open: row.open,
  }))
}

/** Closes what is still open of a sale that is over. */
export async function closeAllAdmissions(sql: Sql, saleId: string): Promise<void> {
  await sql`
    update admissions set closed_at = clock_timestamp(), closed_as = 'sale_closed'
    where sale_id = ${saleId} and closed_at is null`
}

/** Of these sequences, those that were admitted or given up: a ticket for one of them is used. */
export async function usedSequences(
  sql: Sql,
  asked: readonly { readonly saleId: string; readonly sequence: number }[],
): Promise<Set<string>> {
  const rows = await sql<{ sale_id: string; sequence: number }[]>`
    with asked as (
      select * from unnest(${asked.map((one) => one.saleId)}::text[], ${asked.map((one) => one.sequence)}::bigint[])
        as asked (sale_id, sequence)
    )
    select sale_id, sequence from asked join admissions using (sale_id, sequence)
    union all
    select sale_id, sequence from asked join queue_leaves using (sale_id, sequence)`
  return new Set(rows.map((row) => placeName(row.sale_id, row.sequence)))
}

/** Notes places given up on purpose. */
export async function recordLeaves(
  sql: Sql,
  leaves: readonly (Waiter & { readonly saleId: string })[],
): Promise<void> {
  await sql`
    insert into queue_leaves (sale_id, sequence, account_id)
    select * from unnest(${leaves.map((one) => one.saleId)}::text[], ${leaves.map((one) => one.sequence)}::bigint[],
      ${leaves.map((one) => one.accountId)}::text[])
    on conflict do nothing`
}

/** Places given up in the last two minutes. */
export async function lateLeaves(sql: Sql | TransactionSql, saleId: string): Promise<Waiter[]> {
  return await sql<Waiter[]>`
    select account_id as "accountId", sequence from queue_leaves
    where sale_id = ${saleId} and left_at > clock_timestamp() - interval '2 minutes'`
}

/** The name by which `usedSequences` answers. */
export function placeName(saleId: string, sequence: number): string {
  return `${saleId}:${sequence}`
}
