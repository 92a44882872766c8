import { setTimeout as wait } from 'node:timers/promises'
import postgres from 'postgres'
import { migrate } from '../../src/db/migrate.ts'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { cpuMicrosOf, cpuMicrosOfFamily } from '../measure/cpu-time.ts'
import { HelperProcess } from '../stage/helper-process.ts'
import { fillLine, insertGuests } from '../stage/line-filling.ts'
import type { MultiRowInsertsCalls } from '../limits/multi-row-inserts-calls.ts'
import { rowOf } from '../measure/rows.ts'
import type { Stage } from '../stage/stage.ts'
import { check, sideOf, timed, type Check, type Findings, type Turn, type Window } from '../measure/turn.ts'

/** As many as one tick of our gate takes. */
const batch = 1_000
/** A line is let in much sooner, or there is something wrong. */
const patienceMs = 120_000

const days = Array.from({ length: 28 }, (_, day) => `2030-01-${String(day + 1).padStart(2, '0')}`)

/** Nobody but the machine holds the line back. Nobody listens, so the grace has to last until the end. */
const wideGate = {
  ratePerMinute: 6_000_000,
  maxActive: 1_000_000,
  tokenTtlSeconds: 86_400,
  graceSeconds: 3_600,
}

/** How many of a long line are durably let in in a second, against the same rows inserted alone. */
export async function askAdmitRate(
  stage: Stage,
  options: { readonly line: number; readonly rounds: number },
): Promise<Findings> {
  const url = new URL('../limits/multi-row-inserts.ts', import.meta.url)
  const limit = new HelperProcess<MultiRowInsertsCalls>(url)
  try {
    return await new AdmitRate(stage, limit).ask(options)
  } finally {
    await limit.stop()
  }
}

class AdmitRate {
  readonly #stage: Stage
  readonly #limit: HelperProcess<MultiRowInsertsCalls>
  readonly #checks: Check[] = []
  readonly #windows: Window[] = []
  #limitUrl = ''

  constructor(stage: Stage, limit: HelperProcess<MultiRowInsertsCalls>) {
    this.#stage = stage
    this.#limit = limit
  }

  async ask({ line, rounds }: { readonly line: number; readonly rounds: number }): Promise<Findings> {
    const accounts = await insertGuests(this.#stage.sql, line)
    await this.#prepareLimit(accounts)
    const [ours, inserts]: [Turn[], Turn[]] = [[], []]
    await this.#ours('warm-up', accounts.slice(0, Math.ceil(line / 10)))
    this.#windows.length = 0
    for (let round = 1; round <= rounds; round++) {
      ours.push(await this.#ours(`line ${round}`, accounts))
      inserts.push(await this.#theirs(`inserts ${round}`))
    }
    const rate = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond)
    const cost = (user: string) => (turn: Turn) => turn.cpuMicros[user] ?? Number.NaN
    return {
      sides: [sideOf('gate', ours), sideOf('multi-row inserts', inserts)],
      rows: [
        rowOf({
          metric: `durable admissions of a line of ${line}`,
          unit: 'a second',
          ours: rate(ours),
          limit: rate(inserts),
          goal: { of: 'limit', least: 0.5 },
        }),
        rowOf({
          metric: 'server CPU for an admission',
          unit: 'µs',
          ours: ours.map(cost('server')),
          limit: inserts.map(cost('server')),
        }),
        rowOf({
          metric: 'PostgreSQL CPU for an admission',
          unit: 'µs',
          ours: ours.map(cost('postgres')),
          limit: inserts.map(cost('postgres')),
        }),
      ],
      checks: this.#checks,
      windows: this.#windows,
    }
  }

  /** The limit writes into a database of its own, so that nothing of ours follows what it does. */
  async #prepareLimit(accounts: readonly string[]): Promise<void> {
    const { sql, stores } = this.#stage
    await sql`create database openrun_inserts`
    this.#limitUrl = stores.postgresUrl.replace(/\/openrun$/, '/openrun_inserts')
    await migrate({ url: this.#limitUrl })
    await this.#limit.ask('prepare', { postgresUrl: this.#limitUrl, accounts })
  }

  /** Everybody is in the line before the gate opens. What is over stays open and idle: closing it would be work too. */
  async #ours(name: string, accounts: readonly string[]): Promise<Turn> {
    const { server, redis, createSale, changeSale } = this.#stage
    const sale = await createSale({ dates: days, hours: ['10:00'], capacity: 100_000, queue: wideGate })
    await changeSale(sale, { status: 'paused' })
    await fillLine(redis, sale, accounts)
    const line = await redis.zrange(saleKeys(sale).queue, 0, -1)
    const meters = { server: () => cpuMicrosOf(server.pid), ...this.#storeMeters() }
    const { result, cpuMicros, ...window } = await timed(
      meters,
      async () => {
        await changeSale(sale, { status: 'open' })
        return await this.#untilAllAreIn(sale)
      },
      () => accounts.length,
    )
    this.#windows.push({ ...window, name: 'admit' })
    const firstAtMs = await this.#firstAtMs(sale)
    const checks = await this.#checkLine(name, sale, line)
    this.#checks.push(check(`${name}: accounts in the line`, accounts.length, line.length), ...checks)
    const perSecond = accounts.length / ((result.doneAtMs - firstAtMs) / 1000)
    return { perSecond, p50Ms: Number.NaN, p99Ms: Number.NaN, cpuMicros }
  }

  async #theirs(name: string): Promise<Turn> {
    const meters = { server: () => cpuMicrosOf(this.#limit.pid), ...this.#storeMeters() }
    const { result, cpuMicros } = await timed(
      meters,
      () => this.#limit.ask('run', { batch }),
      ({ rows }) => rows,
    )
    const { sale, rows, perSecond, p50Ms, p99Ms } = result
    const sql = postgres(this.#limitUrl, { max: 1 })
    const [found] = await sql<{ count: number }[]>`
      select count(*)::int as count from admissions where sale_id = ${sale}`
    await sql.end()
    this.#checks.push(check(`${name}: rows`, rows, found?.count ?? 0))
    return { perSecond, p50Ms, p99Ms, cpuMicros }
  }

  #storeMeters() {
    const { postgres: database, redis } = this.#stage.stores
    return {
      postgres: () => cpuMicrosOfFamily(database?.pid ?? 0),
      redis: () => cpuMicrosOf(redis?.pid ?? 0),
    }
  }

  /** Nobody is in the line, and nobody was taken from it without being durable and told. */
  async #untilAllAreIn(sale: string): Promise<{ doneAtMs: number }> {
    const { redis } = this.#stage
    const { queue, granting } = saleKeys(sale)
    for (const endMs = Date.now() + patienceMs; Date.now() < endMs; await wait(5)) {
      const [waiting, taken] = await Promise.all([redis.zcard(queue), redis.hlen(granting)])
      if (waiting + taken === 0) return { doneAtMs: Date.now() }
    }
    throw new Error(`${await redis.zcard(queue)} were not let in within ${patienceMs / 1000} s`)
  }

  /** When the gate took the first ones, by the clock of Redis, which is this machine's. */
  async #firstAtMs(sale: string): Promise<number> {
    const [row] = await this.#stage.sql<{ at: Date | null }[]>`
      select min(admitted_at) as at from admissions where sale_id = ${sale}`
    return row?.at?.getTime() ?? Number.NaN
  }

  async #checkLine(name: string, sale: string, line: readonly string[]): Promise<Check[]> {
    const { sql, redis } = this.#stage
    const rows = await sql<{ account_id: string; sequence: number; is_open: boolean }[]>`
      select account_id, sequence, closed_at is null as is_open from admissions
      where sale_id = ${sale} order by admitted_at, sequence`
    const moved = rows.filter(({ account_id }, index) => account_id !== line[index]).length
    const active = await redis.hlen(saleKeys(sale).active)
    return [
      check(`${name}: admissions in PostgreSQL`, line.length, rows.length),
      check(`${name}: accounts with an admission`, line.length, new Set(rows.map((r) => r.account_id)).size),
      check(`${name}: different sequences`, line.length, new Set(rows.map((r) => r.sequence)).size),
      check(`${name}: admissions in another order than the line`, 0, moved),
      check(
        `${name}: open admissions in PostgreSQL, by Redis' count`,
        active,
        rows.filter((r) => r.is_open).length,
      ),
      check(`${name}: tokens in Redis`, line.length, active),
    ]
  }
}
