import { setTimeout as wait } from 'node:timers/promises'
import postgres from 'postgres'
import { migrate } from '../../src/db/migrate.ts'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { cpuMicrosOf, cpuMicrosOfFamily } from '../measure/cpu-time.ts'
import { HelperProcess } from '../stage/helper-process.ts'
import type { OneRowCommitsCalls } from '../limits/one-row-commits-calls.ts'
import type { Stage } from '../stage/stage.ts'
import { defineQuestion, turnOptions } from '../question.ts'
import { rowOf } from '../measure/rows.ts'
import { check, sideOf, timed, type Check, type Findings, type Turn, type Window } from '../measure/turn.ts'

/** More than any turn is expected to reach. */
const ordersPerSecondMax = 5_000
/** Connections of the program that commits bookings one by one. */
const limitConnections = 32
const perAccount = 50

const dates = Array.from({ length: 10 }, (_, day) => `2030-01-${String(day + 1).padStart(2, '0')}`)
const hours = Array.from({ length: 10 }, (_, hour) => `${hour + 10}:00`)
const units = dates.flatMap((date) => hours.map((hour) => `${date}T${hour}`))
const capacity = 20_000

/** Everybody is let in at once: only buying is asked about. */
const openGate = {
  ratePerMinute: 6_000_000,
  maxActive: 1_000_000,
  tokenTtlSeconds: 86_400,
  holdTtlSeconds: 3_600,
  maxPerAccount: perAccount,
}

const bookOptions = {
  ...turnOptions({ seconds: [2, 5], rounds: [2, 3] }),
  conns: { about: 'connections of the load', quick: 256, full: 256, least: 1, most: 2_000 },
  accounts: { about: 'buyers that take part', quick: 3_000, full: 10_000, least: 1_000, most: 45_000 },
}

export const book = defineQuestion({
  name: 'book',
  about: 'how many bookings of a free sale are on disk in a second, hold and order over HTTP',
  options: bookOptions,
  ask: async (bench, options) => await askBook(await bench.open(options), options),
})

type Options = Readonly<Record<keyof typeof bookOptions, number>>

/**
 * How many bookings of a free sale are on disk in a second, over HTTP, against a program that commits the same rows one
 * booking at a time?
 */
async function askBook(stage: Stage, options: Options): Promise<Findings> {
  const limit = new HelperProcess<OneRowCommitsCalls>(
    new URL('../limits/one-row-commits.ts', import.meta.url),
  )
  try {
    return await new BookQuestion(stage, options, limit).ask()
  } finally {
    await limit.stop()
  }
}

interface Series {
  readonly order: Turn[]
  readonly holdAndOrder: Turn[]
  readonly limit: Turn[]
}

class BookQuestion {
  readonly #stage: Stage
  readonly #options: Options
  readonly #limit: HelperProcess<OneRowCommitsCalls>
  readonly #windows: Window[] = []
  #sale = ''
  #booked = 0
  #refused = 0
  #committed = 0

  constructor(stage: Stage, options: Options, limit: HelperProcess<OneRowCommitsCalls>) {
    this.#stage = stage
    this.#options = options
    this.#limit = limit
  }

  async ask(): Promise<Findings> {
    const limitUrl = await this.#prepareLimit()
    await this.#openSale()
    const { rounds, seconds } = this.#options
    const warmUp: Series = { order: [], holdAndOrder: [], limit: [] }
    await this.#round(warmUp, Math.min(1, seconds))
    const series: Series = { order: [], holdAndOrder: [], limit: [] }
    this.#windows.length = 0
    for (let round = 1; round <= rounds; round++) await this.#round(series, seconds)
    const rate = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond)
    const limit = rate(series.limit)
    const cost = (turns: readonly Turn[]) => turns.map(({ cpuMicros: { load: _, ...used } }) => sum(used))
    return {
      sides: [
        sideOf('order', series.order),
        sideOf('hold and order', series.holdAndOrder),
        sideOf('one-row commits', series.limit),
      ],
      rows: [
        rowOf({
          metric: 'hold, order and durable booking',
          unit: 'a second',
          ours: rate(series.holdAndOrder),
          limit,
          goal: { of: 'limit', least: 1 },
        }),
        rowOf({ metric: 'orders of what is held', unit: 'a second', ours: rate(series.order), limit }),
        rowOf({
          metric: 'CPU of server and stores for hold and order',
          unit: 'µs',
          ours: cost(series.holdAndOrder),
          limit: cost(series.limit),
        }),
      ],
      checks: [...(await this.#checkOurs()), ...(await this.#checkLimit(limitUrl))],
      windows: this.#windows,
    }
  }

  /** The limit writes into a database of its own, so that nothing of ours follows what it does. */
  async #prepareLimit(): Promise<string> {
    const { sql, stores, accounts } = this.#stage
    await sql`create database openrun_limit`
    const url = stores.postgresUrl.replace(/\/openrun$/, '/openrun_limit')
    await migrate({ url })
    const slots = units.length
    await this.#limit.ask('prepare', {
      postgresUrl: url,
      connections: limitConnections,
      accounts,
      slots,
      capacity,
    })
    return url
  }

  async #openSale(): Promise<void> {
    const { load, server, accounts, createSale } = this.#stage
    const target = { port: server.port, connections: this.#options.conns }
    this.#sale = await createSale({ dates, hours, capacity, queue: openGate })
    const joined = await load.ask('join', { ...target, sales: [this.#sale], seconds: 300 })
    const { admitted } = await load.ask('admission', { ...target, sale: this.#sale })
    if (joined.done !== accounts.length || admitted !== accounts.length)
      throw new Error(`${admitted} of ${accounts.length} buyers were let in`)
  }

  async #round(series: Series, seconds: number): Promise<void> {
    const { load, server } = this.#stage
    const target = { port: server.port, connections: this.#options.conns }
    const stock = { sale: this.#sale, units, perAccount }
    const count = Math.ceil(seconds * ordersPerSecondMax)
    const held = await load.ask('hold', { ...target, ...stock, count })
    if ((held.statuses['201'] ?? 0) !== held.done)
      throw new Error(`holds were refused: ${JSON.stringify(held.statuses)}`)
    series.order.push(await this.#ours('order', () => load.ask('order', { ...target, seconds })))
    await this.#caughtUp()
    series.holdAndOrder.push(
      await this.#ours('hold and order', () => load.ask('holdAndOrder', { ...target, ...stock, seconds })),
    )
    await this.#caughtUp()
    series.limit.push(await this.#theirs(seconds))
  }

  async #ours(
    name: string,
    work: () => Promise<{ booked: number; done: number; perSecond: number; p50Ms: number; p99Ms: number }>,
  ): Promise<Turn> {
    const { load, server } = this.#stage
    const meters = {
      server: () => cpuMicrosOf(server.pid),
      load: () => cpuMicrosOf(load.pid),
      ...this.#storeMeters(),
    }
    const { result, cpuMicros, ...window } = await timed(meters, work, ({ booked }) => booked)
    this.#windows.push({ ...window, name })
    this.#booked += result.booked
    this.#refused += result.done - result.booked
    const { perSecond, p50Ms, p99Ms } = result
    return { perSecond, p50Ms, p99Ms, cpuMicros }
  }

  async #theirs(seconds: number): Promise<Turn> {
    const meters = { server: () => cpuMicrosOf(this.#limit.pid), load: () => 0, ...this.#storeMeters() }
    const { result, cpuMicros } = await timed(
      meters,
      () => this.#limit.ask('run', { seconds, perAccount }),
      ({ booked }) => booked,
    )
    this.#committed += result.booked
    const { perSecond, p50Ms, p99Ms } = result
    return { perSecond, p50Ms, p99Ms, cpuMicros }
  }

  #storeMeters() {
    const { postgres: database, redis } = this.#stage.stores
    return {
      postgres: () => cpuMicrosOfFamily(database?.pid ?? 0),
      redis: () => cpuMicrosOf(redis?.pid ?? 0),
    }
  }

  /** Resolves with the places that Redis calls sold, when our server has nothing left to do or 15 s are over. */
  async #caughtUp(): Promise<number> {
    const { redis, sql } = this.#stage
    const { state } = saleKeys(this.#sale)
    for (let looks = 1; ; looks++) {
      const sold = Number((await redis.hget(state, 'sold')) ?? 0)
      const [unread] = await sql`
        select 1 from outbox, outbox_positions as read
        where (outbox.xid, outbox.id) > (read.xid, read.id) limit 1`
      if ((sold === this.#booked && unread === undefined) || looks === 300) return sold
      await wait(50)
    }
  }

  async #checkOurs(): Promise<Check[]> {
    const { sql } = this.#stage
    const sold = await this.#caughtUp()
    const found = await countsOf(sql, this.#sale)
    return [
      check('orders refused', 0, this.#refused),
      check('orders in PostgreSQL', this.#booked, found.orders),
      check('bookings that stand in PostgreSQL', this.#booked, found.bookings),
      check('different places', this.#booked, found.places),
      check("different places of the accounts' limits", this.#booked, found.shares),
      check('places beyond capacity', 0, found.beyond),
      check('entries of the outbox', this.#booked, found.entries),
      check('places sold in Redis', this.#booked, sold),
    ]
  }

  async #checkLimit(url: string): Promise<Check[]> {
    const sql = postgres(url, { max: 1 })
    const [sale] = await sql<{ id: string }[]>`select id from sales`
    const found = await countsOf(sql, sale?.id ?? '')
    await sql.end()
    return [
      check('one-row commits: orders', this.#committed, found.orders),
      check('one-row commits: different places', this.#committed, found.places),
      check('one-row commits: entries of the outbox', this.#committed, found.entries),
    ]
  }
}

function sum(figures: Readonly<Record<string, number>>): number {
  return Object.values(figures).reduce((total, figure) => total + figure, 0)
}

interface Counts {
  readonly orders: number
  readonly bookings: number
  readonly places: number
  readonly shares: number
  readonly beyond: number
  readonly entries: number
}

async function countsOf(sql: CallableSql, saleId: string): Promise<Counts> {
  const [row] = await sql<Counts[]>`
    select
      (select count(*) from orders where sale_id = ${saleId} and status = 'booked')::int as orders,
      count(*)::int as bookings,
      count(distinct (unit_no, ordinal))::int as places,
      count(distinct (account_id, nth))::int as shares,
      count(*) filter (where ordinal > capacity)::int as beyond,
      (select count(*) from outbox where sale_id = ${saleId} and topic = 'order')::int as entries
    from bookings where sale_id = ${saleId} and status = 'booked'`
  if (row === undefined) throw new Error('PostgreSQL counted nothing')
  return row
}

/** What pools of different types of numbers have in common. */
type CallableSql = <T extends readonly object[]>(
  text: TemplateStringsArray,
  ...values: string[]
) => PromiseLike<T>
