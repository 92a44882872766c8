import { createHistogram, performance } from 'node:perf_hooks'
import postgres from 'postgres'
import { randomIds } from '../../src/ids.ts'
import { serveParent } from '../stage/helper-process.ts'
import type { Inserted, MultiRowInsertsCalls } from './multi-row-inserts-calls.ts'

/*
 * The rows of admissions and nothing else: statements of many rows into the same table over one connection, each
 * committed by itself. There is no line, no fence, nobody is told.
 */

interface Shop {
  readonly sql: postgres.Sql
  readonly organiser: string
  readonly accounts: readonly string[]
}

/** Of account rows in one statement, which are not measured. */
const portion = 2_000

let shop: Shop | undefined

serveParent<MultiRowInsertsCalls>({
  prepare: async ({ postgresUrl, accounts }) => {
    const sql = postgres(postgresUrl, { max: 1, onnotice: () => {} })
    const organiser = randomIds.next('org')
    await sql`insert into organisers (id, name) values (${organiser}, 'bench')`
    for (let at = 0; at < accounts.length; at += portion)
      await sql`
        insert into accounts (id, kind)
        select id, 'guest' from unnest(${accounts.slice(at, at + portion)}::text[]) as id`
    shop = { sql, organiser, accounts }
    return undefined
  },
  run: async ({ batch }) => {
    if (shop === undefined) throw new Error('nothing is prepared')
    const sale = randomIds.next('sal')
    await openSale(shop, sale)
    return await run(shop, { sale, batch })
  },
})

async function openSale({ sql, organiser }: Shop, sale: string): Promise<void> {
  await sql`
    insert into sales (id, organiser_id, kind, title, status, admits, opens_at, closes_at, queue_mode, rate_per_minute,
      max_active, token_ttl_seconds, hold_ttl_seconds, pay_by_seconds, max_per_account, currency, layout, unit_count,
      place_count)
    values (${sale}, ${organiser}, 'slots', 'bench', 'open', 'guests', now(), now() + interval '1 day', 'fifo', 1, 1, 60,
      60, 60, 50, 'KRW', '{}', 1, 1)`
}

async function run({ sql, accounts }: Shop, asked: { sale: string; batch: number }): Promise<Inserted> {
  const { sale, batch } = asked
  const histogram = createHistogram()
  const startMs = performance.now()
  for (let at = 0; at < accounts.length; at += batch) {
    const beginMs = performance.now()
    const some = accounts.slice(at, at + batch)
    const admittedAt = new Date()
    // As lists, which costs both sides least: a parameter for each value took half as long again.
    await sql`
      insert into admissions (sale_id, sequence, account_id, admitted_at, expires_at)
      select ${sale}, sequence, account_id, ${admittedAt}, ${new Date(admittedAt.getTime() + 86_400_000)}
      from unnest(${some.map((_, index) => at + index + 1)}::bigint[], ${some}::text[]) as t (sequence, account_id)`
    histogram.record(Math.max(1, Math.round((performance.now() - beginMs) * 1000)))
  }
  const seconds = (performance.now() - startMs) / 1000
  return {
    sale,
    rows: accounts.length,
    perSecond: accounts.length / seconds,
    p50Ms: histogram.percentile(50) / 1000,
    p99Ms: histogram.percentile(99) / 1000,
  }
}
