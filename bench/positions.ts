import { setTimeout as wait } from 'node:timers/promises'
import { saleKeys } from '../src/domain/sale-state/sale-keys.ts'
import { UsageError } from './bench-options.ts'
import { cpuMicrosOf } from './cpu-time.ts'
import { HelperProcess } from './helper-process.ts'
import { followLongLine } from './line-pipeline.ts'
import type { TickFramesCalls } from './limits/tick-frames-calls.ts'
import type { LineHeard, LoadCalls } from './load/load-calls.ts'
import { residentBytesOf } from './memory-use.ts'
import { connectionsMax, defineQuestion, turnOptions } from './question.ts'
import { rowOf } from './rows.ts'
import type { Stage } from './stage.ts'
import {
  check,
  figureOf,
  coresOf,
  metered,
  shares,
  sideOf,
  timed,
  type Check,
  type Figure,
  type Findings,
  type Turn,
  type Window,
} from './turn.ts'

/** A turn of a design that ours is set beside, as a part of one of ours. */
const peerPart = 0.25
/** How often the gate looks at a line, as the server is run here. */
const ticksPerSecond = 10
/** Ten ticks a second for everybody may be more than a machine can; so many frames are sent, and what one costs is multiplied. */
const framesPerSecondMax = 20_000
const ratePerMinuteMax = 6_000_000
/** Within this wait everybody is near the front, so that the line can be let in at once and nobody counts as away. */
const nearSeconds = 100

type Crowd = HelperProcess<LoadCalls>

const positionsOptions = {
  ...turnOptions({ seconds: [8, 15], rounds: [1, 3] }),
  conns: {
    about: 'waiters, half on event streams, half on WebSockets',
    quick: 10_000,
    full: 19_000,
    least: 1,
    most: connectionsMax,
  },
  rate: { about: 'people let in a second', quick: 50, full: 50, least: 1, most: 1_000 },
  waiters: {
    about: 'length of the line that is followed without connections',
    quick: 1_000_000,
    full: 1_000_000,
    least: 1_000,
    most: 50_000_000,
  },
}

export const positions = defineQuestion({
  name: 'positions',
  about: 'what it costs to tell a line where it stands, and how true that is',
  options: positionsOptions,
  ask: async (bench, options) => await askPositions(await bench.open({ accounts: options.conns }), options),
})

type Options = Readonly<Record<keyof typeof positionsOptions, number>>

/**
 * What does it cost to tell a line where it stands, and how true is what it is told? Against two plain designs: everybody
 * asks once a second, and everybody is told at each tick of the gate.
 */
async function askPositions(stage: Stage, options: Options): Promise<Findings> {
  const seconds = options.rounds * options.seconds * (1 + 2 * peerPart) + 5
  if (options.conns < seconds * options.rate)
    throw new UsageError(
      `${options.conns} waiters are let in before ${seconds} s are over: more --conns or a lower --rate`,
    )
  const peer = new HelperProcess<TickFramesCalls>(new URL('./limits/tick-frames.ts', import.meta.url))
  const peerCrowd: Crowd = new HelperProcess(new URL('./load/load-program.ts', import.meta.url))
  try {
    return await new PositionsQuestion(stage, options, { peer, peerCrowd }).ask()
  } finally {
    await peerCrowd.stop()
    await peer.stop()
  }
}

interface Series {
  readonly ours: Turn[]
  readonly polls: Turn[]
  readonly ticks: Turn[]
  /** Cores of the server. */
  readonly cores: { readonly ours: number[]; readonly polls: number[]; readonly ticks: number[] }
}

class PositionsQuestion {
  readonly #stage: Stage
  readonly #options: Options
  readonly #peer: HelperProcess<TickFramesCalls>
  readonly #peerCrowd: Crowd
  readonly #windows: Window[] = []
  readonly #figures: Figure[] = []
  /** Of ours, in milliseconds of the wall clock. */
  readonly #turns: { readonly fromMs: number; readonly toMs: number }[] = []
  #sale = ''
  #order: readonly string[] = []

  constructor(
    stage: Stage,
    options: Options,
    { peer, peerCrowd }: { peer: HelperProcess<TickFramesCalls>; peerCrowd: Crowd },
  ) {
    this.#stage = stage
    this.#options = options
    this.#peer = peer
    this.#peerCrowd = peerCrowd
  }

  async ask(): Promise<Findings> {
    const { load, changeSale } = this.#stage
    const { rounds, waiters } = this.#options
    await this.#gather()
    await this.#gatherAtPeer()
    const series: Series = { ours: [], polls: [], ticks: [], cores: { ours: [], polls: [], ticks: [] } }
    await changeSale(this.#sale, { status: 'open' })
    for (let round = 1; round <= rounds; round++) await this.#round(series)
    const heard = await this.#letAllIn()
    const checks = [...(await this.#judge()), ...(await this.#checkLine(heard))]
    this.#figures.push(...(await followLongLine(waiters)))
    await load.ask('leaveLine', undefined)
    await this.#stage.closeSale(this.#sale)
    return { ...this.#sides(series), figures: this.#figures, checks, windows: this.#windows }
  }

  #sides({ ours, polls, ticks, cores }: Series): Pick<Findings, 'sides' | 'rows'> {
    this.#figures.unshift(
      figureOf('server, telling when it matters', 'cores', cores.ours),
      figureOf('server, if each asked once a second', 'cores', cores.polls),
      figureOf('server, a frame to each at each tick', 'cores', cores.ticks),
    )
    return {
      sides: [sideOf('openrun', ours), sideOf('polls', polls), sideOf('frames at each tick', ticks)],
      rows: [
        rowOf({
          metric: 'server CPU to tell positions',
          unit: 'cores',
          ours: cores.ours,
          peer: { name: 'each asks once a second', figures: cores.polls },
          goal: { of: 'peer', most: 1 / 3 },
        }),
        rowOf({
          metric: 'server CPU to tell positions',
          unit: 'cores',
          ours: cores.ours,
          peer: { name: 'a frame to each at each tick', figures: cores.ticks },
        }),
      ],
    }
  }

  /** Everybody joins while the gate is shut, and then listens. */
  async #gather(): Promise<void> {
    const { load, server, redis, createSale, changeSale } = this.#stage
    const { conns, rate } = this.#options
    const dates = Array.from({ length: 28 }, (_, day) => `2030-01-${String(day + 1).padStart(2, '0')}`)
    // Buyers stay inside, so there is room for all of them.
    const queue = { ratePerMinute: rate * 60, maxActive: 1_000_000, tokenTtlSeconds: 86_400 }
    this.#sale = await createSale({ dates, hours: ['10:00'], capacity: 100_000, queue })
    await changeSale(this.#sale, { status: 'paused' })
    const asked = { port: server.port, connections: 64, sales: [this.#sale], seconds: 300, count: conns }
    const { statuses } = await load.ask('join', asked)
    if (statuses['201'] !== conns) throw new Error(`not all could join: ${JSON.stringify(statuses)}`)
    this.#order = await redis.zrange(saleKeys(this.#sale).queue, 0, -1)
    const before = residentBytesOf(server.pid)
    await load.ask('waitInLine', { port: server.port, sale: this.#sale, order: this.#order, streams: 0.5 })
    const bytes = (residentBytesOf(server.pid) - before) / conns
    this.#figures.push(figureOf('memory of the server for a waiter', 'bytes', [bytes]))
  }

  async #gatherAtPeer(): Promise<void> {
    const { port } = await this.#peer.ask('listen', { channel: `queue:${this.#sale}` })
    await this.#peerCrowd.ask('waitInLine', { port, sale: this.#sale, order: this.#order, streams: 0 })
  }

  async #round(series: Series): Promise<void> {
    const waiting = await this.#stage.redis.zcard(saleKeys(this.#sale).queue)
    const ours = await this.#ours()
    series.ours.push(ours.turn)
    series.cores.ours.push(ours.cores)
    const polls = await this.#polls(ours.cores)
    series.polls.push(polls)
    series.cores.polls.push(((polls.cpuMicros['server'] ?? Number.NaN) * waiting) / 1e6)
    const ticks = await this.#ticks()
    series.ticks.push(ticks)
    const perSecond = waiting * ticksPerSecond
    series.cores.ticks.push(((ticks.cpuMicros['server'] ?? Number.NaN) * perSecond) / 1e6)
  }

  async #ours(): Promise<{ turn: Turn; cores: number }> {
    const { load, server } = this.#stage
    const { seconds, rate } = this.#options
    const fromMs = Date.now()
    const {
      usedMicros,
      result: _,
      ...window
    } = await metered(this.#meters(server.pid, load.pid), () => wait(seconds * 1000))
    const turn = { fromMs, toMs: Date.now() }
    this.#windows.push({ ...window, name: 'positions' })
    this.#turns.push(turn)
    const { told, admitted } = await load.ask('judgeLine', { ...turn, perSecond: rate })
    const heard = told + admitted.count
    const { p50Ms, p99Ms } = admitted
    const figures = { perSecond: heard / seconds, p50Ms, p99Ms, cpuMicros: shares(usedMicros, heard) }
    return { turn: figures, cores: coresOf(usedMicros['server'], window) }
  }

  /**
   * The last ones of the line ask: of them nobody is let in meanwhile. The others are told as before, and what that
   * costs is taken off.
   */
  async #polls(coresOfTelling: number): Promise<Turn> {
    const { load, server } = this.#stage
    const waiters = this.#order.slice(-Math.ceil(this.#order.length / 2))
    const asked = {
      port: server.port,
      connections: 64,
      sale: this.#sale,
      waiters,
      seconds: this.#options.seconds * peerPart,
    }
    const { result, cpuMicros, fromMicros, toMicros } = await timed(
      this.#meters(server.pid, load.pid),
      () => load.ask('poll', asked),
      ({ done }) => done,
    )
    const { perSecond, p50Ms, p99Ms } = result
    const ofTelling = (coresOfTelling * (toMicros - fromMicros)) / result.done
    const ofPoll = (cpuMicros['server'] ?? Number.NaN) - ofTelling
    return { perSecond, p50Ms, p99Ms, cpuMicros: { ...cpuMicros, server: ofPoll } }
  }

  async #ticks(): Promise<Turn> {
    const { conns, seconds } = this.#options
    const everyMs = Math.max(1000 / ticksPerSecond, (conns / framesPerSecondMax) * 1000)
    const ticks = Math.ceil((seconds * peerPart * 1000) / everyMs)
    const { result, cpuMicros } = await timed(
      this.#meters(this.#peer.pid, this.#peerCrowd.pid),
      () => this.#peer.ask('tick', { ticks, everyMs }),
      ({ frames }) => frames,
    )
    const perSecond = result.frames / ((ticks * everyMs) / 1000)
    return { perSecond, p50Ms: Number.NaN, p99Ms: Number.NaN, cpuMicros }
  }

  #meters(serverPid: number, loadPid: number) {
    const { redis } = this.#stage.stores
    return {
      server: () => cpuMicrosOf(serverPid),
      load: () => cpuMicrosOf(loadPid),
      redis: () => cpuMicrosOf(redis?.pid ?? 0),
    }
  }

  /** Opens the gate wide, in steps: who is suddenly at the front has to be known to be there. */
  async #letAllIn(): Promise<LineHeard> {
    const { load, redis, changeSale } = this.#stage
    const { queue } = saleKeys(this.#sale)
    for (let { rate } = this.#options; (await redis.zcard(queue)) / rate > nearSeconds;) {
      rate *= 10
      await changeSale(this.#sale, { queue: { ratePerMinute: rate * 60 } })
      // Presence is said every five seconds.
      await wait(8_000)
    }
    await changeSale(this.#sale, { queue: { ratePerMinute: ratePerMinuteMax } })
    return await load.ask('admittedAll', { seconds: 60 })
  }

  /**
   * What was told in our turns: polls keep the server as busy as it can be, and so it is late then. To be asked when
   * everybody was let in: before, the word of whoever left the line last may be on its way.
   */
  async #judge(): Promise<Check[]> {
    const { load } = this.#stage
    const judged = []
    for (const turn of this.#turns)
      judged.push(await load.ask('judgeLine', { ...turn, perSecond: this.#options.rate }))
    const ages = judged.map(({ age }) => age)
    const sum = (figures: readonly number[]) => figures.reduce((total, figure) => total + figure, 0)
    this.#figures.push(
      figureOf(
        'age of what a waiter knows just before the next telling, p50',
        'ms',
        ages.map(({ p50Ms }) => p50Ms),
      ),
      figureOf(
        'the same, p99',
        'ms',
        ages.map(({ p99Ms }) => p99Ms),
      ),
      figureOf(
        'the same, the most',
        'ms',
        ages.map(({ mostMs }) => mostMs),
      ),
      figureOf(
        'the oldest, as a part of what is promised',
        'of 1',
        judged.map(({ largestPart }) => largestPart),
      ),
    )
    return [
      check('positions too old for the wait that was left', 0, sum(judged.map(({ late }) => late))),
      check('positions told before they were true', 0, sum(judged.map(({ untrue }) => untrue))),
    ]
  }

  async #checkLine(heard: LineHeard): Promise<Check[]> {
    const { sql } = this.#stage
    const inOrder = await sql<{ account_id: string }[]>`
      select account_id from admissions where sale_id = ${this.#sale} order by admitted_at, sequence`
    const moved = inOrder.filter(({ account_id }, index) => account_id !== this.#order[index])
    const { conns } = this.#options
    return [
      check('waiters who heard that they were let in', conns, heard.admitted),
      check('waiters who heard it twice', 0, heard.admittedTwice),
      check('waiters let in later than somebody behind them', 0, heard.overtaken),
      check('waiters told a position after they were let in', 0, heard.toldAfterAdmission),
      check('connections cut off', 0, heard.cutOff),
      check('positions that could not be kept', 0, heard.notKept),
      check('admissions in PostgreSQL', conns, inOrder.length),
      check('admissions in another order than the line', 0, moved.length),
    ]
  }
}
