import { createHistogram, performance } from 'node:perf_hooks'
import postgres from 'postgres'
import { randomIds } from '../../src/ids.ts'
import { serveParent } from '../stage/helper-process.ts'
import type { Committed, OneRowCommitsCalls } from './one-row-commits-calls.ts'

/*
 * Bookings written one by one, as a plain program writes them: for each a transaction of its own with the rows that ours
 * writes too, an order, a booking and an entry of the outbox, the three statements sent together. There is no HTTP, no
 * Redis, no check of who books what.
 */

interface Shop {
  readonly sql: postgres.Sql
  readonly connections: number
  readonly accounts: readonly string[]
  readonly sale: string
  readonly slots: number
  readonly capacity: number
}

let shop: Shop | undefined
let taken = 0

serveParent<OneRowCommitsCalls>({
  prepare: async (asked) => {
    const sql = postgres(asked.postgresUrl, { max: asked.connections, onnotice: () => {} })
    shop = { ...asked, sql, sale: randomIds.next('sal') }
    await openShop(shop)
    return undefined
  },
  run: async ({ seconds, perAccount }) => {
    if (shop === undefined) throw new Error('nothing is prepared')
    return await run(shop, { seconds, perAccount })
  },
})

async function openShop({ sql, sale, accounts, slots, capacity }: Shop): Promise<void> {
  const organiser = randomIds.next('org')
  await sql`insert into organisers (id, name) values (${organiser}, 'bench')`
  await sql`insert into accounts (id, kind) select id, 'guest' from unnest(${[...accounts]}::text[]) as id`
  await sql`
    insert into sales (id, organiser_id, kind, title, status, admits, opens_at, closes_at, queue_mode, rate_per_minute,
      max_active, token_ttl_seconds, hold_ttl_seconds, pay_by_seconds, max_per_account, currency, layout, unit_count,
      place_count)
    values (${sale}, ${organiser}, 'slots', 'bench', 'open', 'guests', now(), now() + interval '1 day', 'fifo', 1, 1, 60,
      60, 60, 50, 'KRW', '{}', ${slots}, ${slots * capacity})`
  await sql`
    insert into units (sale_id, unit_no, code, capacity, price_minor, price_class)
    select ${sale}, n, 'slot ' || n, ${capacity}, 0, 'standard' from generate_series(0, ${slots - 1}::int) as n`
}

async function run(from: Shop, asked: { seconds: number; perAccount: number }): Promise<Committed> {
  const histogram = createHistogram()
  const startMs = performance.now()
  const endMs = startMs + asked.seconds * 1000
  const most = from.accounts.length * asked.perAccount
  const keepBooking = async (): Promise<void> => {
    for (let beginMs = performance.now(); beginMs < endMs && taken < most;) {
      await book(from, taken++)
      const nowMs = performance.now()
      histogram.record(Math.max(1, Math.round((nowMs - beginMs) * 1000)))
      beginMs = nowMs
    }
  }
  await Promise.all(Array.from({ length: from.connections }, keepBooking))
  const seconds = (performance.now() - startMs) / 1000
  return {
    booked: histogram.count,
    perSecond: histogram.count / seconds,
    p50Ms: histogram.percentile(50) / 1000,
    p99Ms: histogram.percentile(99) / 1000,
  }
}

/** The k-th booking: slots and accounts in turn, as our side's crowd takes them. */
async function book({ sql, sale, accounts, slots, capacity }: Shop, k: number): Promise<void> {
  const [order, booking, hold] = [randomIds.next('ord'), randomIds.next('bkg'), randomIds.next('hol')]
  const account = accounts[k % accounts.length] ?? ''
  const [unit, ordinal, nth] = [k % slots, Math.floor(k / slots) + 1, Math.floor(k / accounts.length) + 1]
  const change = { order, hold, account, status: 'booked', places: [[unit, ordinal, nth]] }
  await sql.begin((tx) => [
    tx`
      insert into orders (id, sale_id, account_id, hold_id, status, total_minor, currency)
      values (${order}, ${sale}, ${account}, ${hold}, 'booked', 0, 'KRW')`,
    tx`
      insert into bookings (id, order_id, sale_id, unit_no, ordinal, capacity, account_id, nth, status, price_minor,
        booked_at)
      values (${booking}, ${order}, ${sale}, ${unit}, ${ordinal}, ${capacity}, ${account}, ${nth}, 'booked', 0,
        clock_timestamp())`,
    tx`
      insert into outbox (sale_id, topic, body)
      values (${sale}, 'order', ${JSON.stringify(change)}::text::jsonb)`,
  ])
}
