import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { FencedError } from '../sale-state/sale-failures.ts'
import { commitmentOf, digestOf } from './draw.ts'

export interface Draw {
  readonly seed: string
  readonly commitment: string
  /** What was drawn from, once nobody can enter any more. */
  readonly closed: { readonly digest: string; readonly entrants: number } | undefined
  /** Set once the order is known to everybody: the drawn places are the first sequences of this epoch. */
  readonly drawn: { readonly epoch: number; readonly atMs: number } | undefined
}

export interface Entry {
  readonly accountId: string
  readonly entryId: string
}

export interface EntryAsked extends Entry {
  readonly saleId: string
}

/** Written with the sale: the server is bound to the seed before anybody can enter. */
export async function insertDraw(tx: TransactionSql, saleId: string, seed: string): Promise<void> {
  await tx`insert into sale_draws (sale_id, seed, commitment) values (${saleId}, ${seed}, ${commitmentOf(seed)})`
}

export async function findDraw(sql: Sql | TransactionSql, saleId: string): Promise<Draw | undefined> {
  const [row] = await sql<DrawRow[]>`
    select seed, commitment, digest, entrants, epoch, drawn_at as "drawnAt" from sale_draws where sale_id = ${saleId}`
  if (row === undefined) return undefined
  const { seed, commitment, digest, entrants, epoch, drawnAt } = row
  return {
    seed,
    commitment,
    closed: digest === null || entrants === null ? undefined : { digest, entrants },
    drawn: epoch === null || drawnAt === null ? undefined : { epoch, atMs: drawnAt.getTime() },
  }
}

interface DrawRow {
  readonly seed: string
  readonly commitment: string
  readonly digest: string | null
  readonly entrants: number | null
  readonly epoch: number | null
  readonly drawnAt: Date | null
}

/**
 * Enters accounts into draws, many at once; who has entered before keeps the entry.
 * @returns the entry id of each, undefined where the draw takes no entries any more
 */
export async function enterDraws(sql: Sql, asked: readonly EntryAsked[]): Promise<(string | undefined)[]> {
  const sales = asked.map((one) => one.saleId)
  const accounts = asked.map((one) => one.accountId)
  // The lock makes the closing of a draw wait for entries under way, and entries after it see that it is closed.
  await sql`
    with taking as (
      select sale_id from sale_draws where sale_id = any(${[...new Set(sales)]}) and closed_at is null
      order by sale_id for share)
    insert into draw_entries (sale_id, account_id, entry_id)
    select asked.* from unnest(${sales}::text[], ${accounts}::text[], ${asked.map((one) => one.entryId)}::text[])
      as asked (sale_id, account_id, entry_id)
    join taking using (sale_id)
    order by 1, 2
    on conflict do nothing`
  const rows = await sql<{ saleId: string; accountId: string; entryId: string }[]>`
    select sale_id as "saleId", account_id as "accountId", entry_id as "entryId"
    from draw_entries
    join unnest(${sales}::text[], ${accounts}::text[]) as asked (sale_id, account_id) using (sale_id, account_id)`
  const entries = new Map(rows.map((row) => [`${row.saleId} ${row.accountId}`, row.entryId]))
  return asked.map((one) => entries.get(`${one.saleId} ${one.accountId}`))
}

/** Takes an entry back. False when there is none, or the draw is closed. */
export async function withdrawEntry(sql: Sql, saleId: string, accountId: string): Promise<boolean> {
  const rows = await sql`
    with taking as (select sale_id from sale_draws where sale_id = ${saleId} and closed_at is null for share)
    delete from draw_entries e using taking where e.sale_id = taking.sale_id and e.account_id = ${accountId}
    returning 1`
  return rows.length > 0
}

/** The entries of these accounts, by account. */
export async function entriesOf(
  sql: Sql,
  saleId: string,
  accountIds: readonly string[],
): Promise<Map<string, string>> {
  const rows = await sql<Entry[]>`
    select account_id as "accountId", entry_id as "entryId" from draw_entries
    where sale_id = ${saleId} and account_id = any(${[...accountIds]})`
  return new Map(rows.map(({ accountId, entryId }) => [accountId, entryId]))
}

export async function countEntries(sql: Sql, saleId: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from draw_entries where sale_id = ${saleId}`
  return row?.count ?? 0
}

/** All entries, sorted by their ids as bytes. */
export async function allEntries(sql: Sql | TransactionSql, saleId: string): Promise<Entry[]> {
  return await sql<Entry[]>`
    select account_id as "accountId", entry_id as "entryId" from draw_entries
    where sale_id = ${saleId} order by entry_id collate "C"`
}

export async function entryIdsAfter(
  sql: Sql,
  page: { readonly saleId: string; readonly after: string; readonly limit: number },
): Promise<string[]> {
  const { saleId, after, limit } = page
  const rows = await sql<{ entryId: string }[]>`
    select entry_id as "entryId" from draw_entries
    where sale_id = ${saleId} and entry_id collate "C" > ${after}
    order by entry_id collate "C" limit ${limit}`
  return rows.map(({ entryId }) => entryId)
}

/**
 * Closes the draw, if it is open, and writes down what it is drawn from; then the order may be shown, and its places
 * are the first sequences of an epoch. Each step is done once, by whoever comes to it first.
 * @param writer.epoch the epoch whose first sequences the drawn places become, unless that was settled before
 * @throws FencedError another process has become the writer
 */
export async function holdDraw(
  sql: Sql,
  writer: { readonly saleId: string; readonly fence: number; readonly epoch: number },
): Promise<void> {
  const { saleId, fence, epoch } = writer
  const mustWrite = async (tx: TransactionSql): Promise<void> => {
    const rows = await tx`select 1 from sale_writers where sale_id = ${saleId} and fence = ${fence} for share`
    if (rows.length === 0) throw new FencedError(`the fence ${fence} of ${saleId} is not the newest`)
  }
  await transaction(sql, async (tx) => {
    await mustWrite(tx)
    const closed = await tx`
      update sale_draws set closed_at = clock_timestamp() where sale_id = ${saleId} and closed_at is null returning 1`
    if (closed.length === 0) return
    const entryIds = (await allEntries(tx, saleId)).map((entry) => entry.entryId)
    await tx`
      update sale_draws set digest = ${digestOf(entryIds)}, entrants = ${entryIds.length} where sale_id = ${saleId}`
  })
  // In a transaction of its own: the digest stands before the seed is shown.
  await transaction(sql, async (tx) => {
    await mustWrite(tx)
    await tx`
      update sale_draws set epoch = ${epoch}, drawn_at = clock_timestamp()
      where sale_id = ${saleId} and drawn_at is null`
  })
}

/** Of a draw's places those that led to an admission or were given up, as ranks from 1. */
export async function usedRanks(sql: Sql, saleId: string, epoch: number): Promise<Set<number>> {
  const first = epoch * 2 ** 32
  const rows = await sql<{ sequence: number }[]>`
    select sequence from admissions where sale_id = ${saleId} and sequence > ${first} and sequence < ${first + 2 ** 32}
    union all
    select sequence from queue_leaves where sale_id = ${saleId} and sequence > ${first} and sequence < ${first + 2 ** 32}`
  return new Set(rows.map(({ sequence }) => sequence - first))
}
