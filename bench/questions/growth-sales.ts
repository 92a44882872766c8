import { setTimeout as wait } from 'node:timers/promises'
import { cpuMicrosOf, cpuMicrosOfFamily } from '../measure/cpu-time.ts'
import { waitingIn } from './growth-edges.ts'
import { closeSales, oneSlot, openSales, powerText, type GrowthParts, type Part } from './growth-parts.ts'
import { rowOf, type Measured } from '../measure/rows.ts'
import { median } from '../measure/series.ts'
import {
  check,
  coresOf,
  metered,
  timed,
  type Check,
  type Curve,
  type Turn,
  type Window,
} from '../measure/turn.ts'

const counts = [1, 10, 100] as const
/** How long it is watched what open sales cost in which nothing happens. */
const idleSeconds = 2
/** Ticks of a gate in a second, as the server is run here. */
const ticksPerSecond = 10

interface Series {
  readonly join: Turn[]
  readonly buy: Turn[]
  /** Of the server, while nothing happens. */
  readonly idleCores: number[]
  readonly idleRedisCores: number[]
}

/** The same joins and bookings in one sale and spread over a hundred, and what it costs that so many are open. */
export async function askSales(parts: GrowthParts): Promise<Part> {
  return await new SalesAtOnce(parts).ask()
}

class SalesAtOnce {
  readonly #parts: GrowthParts
  readonly #checks: Check[] = []
  readonly #windows: Window[] = []

  constructor(parts: GrowthParts) {
    this.#parts = parts
  }

  async ask(): Promise<Part> {
    const series = new Map<number, Series>()
    for (const count of counts) series.set(count, { join: [], buy: [], idleCores: [], idleRedisCores: [] })
    for (let round = 1; round <= this.#parts.options.rounds; round++)
      for (const [count, figures] of series) await this.#turn(`${count} sales, ${round}`, count, figures)
    return {
      rows: rowsOf(series),
      curves: curvesOf(series),
      checks: this.#checks,
      windows: this.#windows,
    }
  }

  async #turn(name: string, count: number, series: Series): Promise<void> {
    const { stage, crowd, options } = this.#parts
    const target = { port: stage.server.port, connections: options.conns }
    const sales = await openSales(stage, count)
    await this.#idle(series)
    for (const sale of sales) await stage.changeSale(sale, { status: 'paused' })
    const asked = { sales, count: options.accounts }
    const joined = await this.#timed('joins of many sales', () =>
      crowd.ask('join', { targets: [target], rounds: [sales], count: options.accounts }),
    )
    series.join.push(joined.turn)
    const found = await waitingIn(this.#parts, sales)
    for (const sale of sales) await stage.changeSale(sale, { status: 'open' })
    const { admitted } = await crowd.ask('tokens', { ...target, ...asked })
    const bought = await this.#timed('bookings of many sales', () =>
      crowd.ask('buy', { ...target, ...asked, unit: oneSlot }),
    )
    series.buy.push(bought.turn)
    this.#checks.push(
      check(`${name}: joins answered 201`, options.accounts, joined.result.statuses['201'] ?? 0),
      check(`${name}: different places in the lines`, options.accounts, found.different),
      check(`${name}: purchase tokens`, options.accounts, admitted),
      check(`${name}: orders answered as booked`, options.accounts, bought.result.booked),
      ...(await this.#checkBookings(name, sales)),
    )
    await closeSales(stage, sales)
  }

  async #idle(series: Series): Promise<void> {
    const { usedMicros, ...window } = await metered(this.#meters(), () => wait(idleSeconds * 1000))
    series.idleCores.push(coresOf(usedMicros['server'], window))
    series.idleRedisCores.push(coresOf(usedMicros['redis'], window))
  }

  async #timed<T extends { done: number; perSecond: number; p50Ms: number; p99Ms: number }>(
    name: string,
    work: () => Promise<T>,
  ): Promise<{ result: T; turn: Turn }> {
    const { result, cpuMicros, ...window } = await timed(this.#meters(), work, ({ done }) => done)
    this.#windows.push({ ...window, name })
    const { perSecond, p50Ms, p99Ms } = result
    return { result, turn: { perSecond, p50Ms, p99Ms, cpuMicros } }
  }

  #meters() {
    const { server, stores } = this.#parts.stage
    return {
      server: () => cpuMicrosOf(server.pid),
      redis: () => cpuMicrosOf(stores.redis?.pid ?? 0),
      postgres: () => cpuMicrosOfFamily(stores.postgres?.pid ?? 0),
      load: () => cpuMicrosOf(this.#parts.crowd.pid),
    }
  }

  async #checkBookings(name: string, sales: readonly string[]): Promise<Check[]> {
    const { stage, options } = this.#parts
    const [row] = await stage.sql<{ bookings: number; places: number; most: number }[]>`
      select count(*)::int as bookings, count(distinct (sale_id, unit_no, ordinal))::int as places,
        (select max(n)::int from (
          select count(*) as n from bookings where sale_id = any(${[...sales]}) group by sale_id) as each) as most
      from bookings where sale_id = any(${[...sales]}) and status = 'booked'`
    return [
      check(`${name}: bookings in PostgreSQL`, options.accounts, row?.bookings ?? 0),
      check(`${name}: different places booked`, options.accounts, row?.places ?? 0),
      check(`${name}: most bookings of one sale`, Math.ceil(options.accounts / sales.length), row?.most ?? 0),
    ]
  }
}

type ByCount = ReadonlyMap<number, Series>

const cpuOf = (user: string) => (turn: Turn) => turn.cpuMicros[user] ?? Number.NaN

function rowsOf(series: ByCount): Measured[] {
  const [most, one] = [series.get(100), series.get(1)]
  if (most === undefined || one === undefined) return []
  const row = (metric: string, unit: string, pick: (of: Series) => number[]) =>
    rowOf({ metric, unit, ours: pick(most), peer: { name: '1 sale', figures: pick(one) } })
  const rate = (turn: Turn) => turn.perSecond
  return [
    row('joins spread over 100 sales', 'a second', (of) => of.join.map(rate)),
    row('server CPU for a join, 100 sales', 'µs', (of) => of.join.map(cpuOf('server'))),
    row('hold and order spread over 100 sales', 'a second', (of) => of.buy.map(rate)),
    row('server CPU for hold and order, 100 sales', 'µs', (of) => of.buy.map(cpuOf('server'))),
    row('server CPU with 100 open sales and nobody there', 'cores', (of) => of.idleCores),
  ]
}

function curvesOf(series: ByCount): Curve[] {
  const points = (pick: (of: Series) => number[]): (readonly [number, number])[] =>
    [...series].map(([count, of]) => [count, median(pick(of))])
  const x = { name: 'open sales', unit: '' }
  const cost = {
    join: points((of) => of.join.map(cpuOf('server'))),
    buy: points((of) => of.buy.map(cpuOf('server'))),
  }
  const rates = {
    join: points((of) => of.join.map((turn) => turn.perSecond)),
    buy: points((of) => of.buy.map((turn) => turn.perSecond)),
  }
  const idle = points((of) => of.idleCores)
  const idleRedis = points((of) => of.idleRedisCores)
  const tickMicros = slopeMicros(idle) / ticksPerSecond
  return [
    {
      title: 'The same work in more sales at once',
      x,
      y: { name: 'done', unit: 'a second' },
      isLog: true,
      lines: [
        { name: 'joins', points: rates.join },
        { name: 'hold and order', points: rates.buy },
      ],
      note:
        `Joins go as sales ${powerText(rates.join)}, bookings ${powerText(rates.buy)}; 0 is flat. What bends them: a hundred ` +
        `open sales take ${(idle.at(-1)?.[1] ?? Number.NaN).toFixed(2)} cores of the server and ` +
        `${(idleRedis.at(-1)?.[1] ?? Number.NaN).toFixed(2)} of Redis for the ticks of their gates, whoever comes.`,
    },
    {
      title: 'What a piece of work costs the server in more sales at once',
      x,
      y: { name: 'server CPU', unit: 'µs' },
      isLog: true,
      lines: [
        { name: 'a join', points: cost.join },
        { name: 'hold and order', points: cost.buy },
      ],
      note:
        `A join goes as sales ${powerText(cost.join)}, a booking ${powerText(cost.buy)}; the ticks of the open sales ` +
        'are in it.',
    },
    {
      title: 'Open sales in which nothing happens',
      x,
      y: { name: 'busy', unit: 'cores' },
      isLog: true,
      lines: [
        { name: 'server', points: idle },
        { name: 'Redis', points: idleRedis },
      ],
      note:
        `From one sale to a hundred each one more costs the server ${(tickMicros * ticksPerSecond).toFixed(0)} µs a ` +
        `second, ${tickMicros.toFixed(0)} µs for each tick of its gate, ${ticksPerSecond} a second.`,
    },
  ]
}

/** Microseconds a second for each sale more, from the first point to the last. */
function slopeMicros(points: readonly (readonly [number, number])[]): number {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return Number.NaN
  return ((last[1] - first[1]) / (last[0] - first[0])) * 1e6
}
