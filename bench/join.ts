import { saleKeys } from '../src/domain/sale-state/sale-keys.ts'
import { cpuMicrosOf } from './cpu-time.ts'
import { HelperProcess } from './helper-process.ts'
import type { BareJoinCalls } from './limits/bare-join-calls.ts'
import type { Driven } from './load/drive.ts'
import type { Stage } from './stage.ts'
import { defineQuestion, turnOptions } from './question.ts'
import { rowOf } from './rows.ts'
import { check, sideOf, timed, type Check, type Findings, type Turn, type Window } from './turn.ts'

/** More than any turn is expected to reach, so that it is the clock that ends it. */
const joinsPerSecondMax = 25_000

/** Nobody is to be let in: only joining is asked about. One is, because the gate lets the first one through. */
const closedGate = { ratePerMinute: 1, maxActive: 1, tokenTtlSeconds: 86_400 }

const joinOptions = {
  ...turnOptions({ seconds: [3, 5], rounds: [2, 5] }),
  conns: { about: 'connections of the load', quick: 256, full: 256, least: 1, most: 2_000 },
  // More would fall out of the server's memory of tokens, and each join would pay for a signature.
  accounts: { about: 'buyers that take part', quick: 10_000, full: 20_000, least: 100, most: 45_000 },
}

export const join = defineQuestion({
  name: 'join',
  about: 'how many can join the line in a second',
  options: joinOptions,
  ask: async (bench, options) => await askJoin(await bench.open(options), options),
})

type Options = Readonly<Record<keyof typeof joinOptions, number>>

/**
 * How many can join the line in a second, against a bare server that makes the same call to Redis? Every join is of an
 * account that is not in that line yet, with a token that the server has met before.
 */
async function askJoin(stage: Stage, options: Options): Promise<Findings> {
  const bare = new HelperProcess<BareJoinCalls>(new URL('./limits/bare-join.ts', import.meta.url))
  try {
    return await new JoinQuestion(stage, options, bare).ask()
  } finally {
    await bare.stop()
  }
}

class JoinQuestion {
  readonly #stage: Stage
  readonly #options: Options
  readonly #bare: HelperProcess<BareJoinCalls>
  readonly #checks: Check[] = []
  readonly #windows: Window[] = []

  constructor(stage: Stage, options: Options, bare: HelperProcess<BareJoinCalls>) {
    this.#stage = stage
    this.#options = options
    this.#bare = bare
  }

  async ask(): Promise<Findings> {
    const { server, stores } = this.#stage
    // Shows the server each token once, and says how big its answers are.
    const { driven } = await this.#turn({
      name: 'warm-up of ours',
      port: server.port,
      pid: server.pid,
      sales: 1,
    })
    const ticketChars = Math.round(driven.bytesPerAnswer) - bytesBesideTicket
    const { port } = await this.#bare.ask('listen', { redisUrl: stores.redisUrl, ticketChars })
    await this.#turn({ name: 'warm-up of the limit', port, pid: this.#bare.pid, sales: 1 })
    const [ours, limit]: [Turn[], Turn[]] = [[], []]
    for (let round = 1; round <= this.#options.rounds; round++) {
      const our = await this.#turn({ name: `ours ${round}`, port: server.port, pid: server.pid })
      const its = await this.#turn({ name: `limit ${round}`, port, pid: this.#bare.pid })
      ours.push(our.turn)
      limit.push(its.turn)
      this.#windows.push({ ...our.window, name: 'join' })
    }
    const cpu = (turns: readonly Turn[]) => turns.map((turn) => turn.cpuMicros['server'] ?? Number.NaN)
    const rate = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond)
    return {
      sides: [sideOf('openrun', ours), sideOf('bare server', limit)],
      rows: [
        rowOf({
          metric: 'joins',
          unit: 'a second',
          ours: rate(ours),
          limit: rate(limit),
          goal: { of: 'limit', least: 0.8 },
        }),
        rowOf({ metric: 'server CPU for a join', unit: 'µs', ours: cpu(ours), limit: cpu(limit) }),
      ],
      checks: this.#checks,
      windows: this.#windows,
    }
  }

  async #turn(side: { name: string; port: number; pid: number; sales?: number }) {
    const { load, stores, accounts, createSale, closeSale } = this.#stage
    const { conns: connections, seconds } = this.#options
    const isWarmUp = side.sales !== undefined
    const count = side.sales ?? Math.ceil((seconds * joinsPerSecondMax) / accounts.length)
    const sales: string[] = []
    for (let made = 0; made < count; made++) {
      sales.push(
        await createSale({ dates: ['2030-01-01'], hours: ['10:00'], capacity: 10, queue: closedGate }),
      )
    }
    if (side.pid === this.#bare.pid) await this.#bare.ask('know', { sales })
    const meters = {
      server: () => cpuMicrosOf(side.pid),
      load: () => cpuMicrosOf(load.pid),
      redis: () => cpuMicrosOf(stores.redis?.pid ?? 0),
    }
    const asked = { port: side.port, connections, sales, seconds: isWarmUp ? 300 : seconds }
    const { result, cpuMicros, ...window } = await timed(
      meters,
      () => load.ask('join', asked),
      (driven) => driven.done,
    )
    this.#checks.push(...(await this.#checkLines(side.name, sales, result)))
    for (const sale of sales) await closeSale(sale)
    const { perSecond, p50Ms, p99Ms } = result
    return { driven: result, turn: { perSecond, p50Ms, p99Ms, cpuMicros }, window }
  }

  /** Every join that was answered has one place, every place another number, and there are no other places. */
  async #checkLines(name: string, sales: readonly string[], driven: Driven): Promise<Check[]> {
    const { redis } = this.#stage
    let [places, distinct, issued] = [0, 0, 0]
    for (const sale of sales) {
      const keys = saleKeys(sale)
      const line = await redis.zrange(keys.queue, 0, -1, 'WITHSCORES')
      const active = await redis.hgetall(keys.active)
      const numbers = [
        ...line.filter((_, index) => index % 2 === 1),
        ...Object.values(active).map((record) => record.split(':')[0]),
      ]
      places += numbers.length
      distinct += new Set(numbers).size
      issued += Number((await redis.hget(keys.state, 'n')) ?? 0)
    }
    return [
      check(`${name}: joins answered 201`, driven.done, driven.statuses['201'] ?? 0),
      check(`${name}: places in the lines`, driven.done, places),
      check(`${name}: different sequences`, driven.done, distinct),
      check(`${name}: sequences given out`, driven.done, issued),
    ]
  }
}

/** What an answer holds beside its ticket, with numbers of usual length. */
const bytesBesideTicket = JSON.stringify({
  ticket: '',
  state: 'waiting',
  position: 10_000,
  behind: 0,
  etaSeconds: 600_000,
}).length
