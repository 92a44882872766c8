import { setTimeout as wait } from 'node:timers/promises'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { cpuMicrosOf } from '../measure/cpu-time.ts'
import { inspectable, MemoryReader } from '../measure/held-memory.ts'
import type { HelperProcess } from '../stage/helper-process.ts'
import type { TickFramesCalls } from '../limits/tick-frames-calls.ts'
import { openWide } from './line-opening.ts'
import type { LineJudgement } from '../load/line-judge.ts'
import type { LineHeard, LoadCalls } from '../load/load-calls.ts'
import { freeLowPort } from '../stage/low-port.ts'
import { startServerProcess } from '../stage/server-process.ts'
import type { Stage } from '../stage/stage.ts'
import { coresOf, metered, shares, timed, type Turn, type Window } from '../measure/turn.ts'

/** A turn of a design that ours is set beside, as a part of one of ours. */
export const peerPart = 0.25
/** How often the gate looks at a line, as the server is run here. */
const ticksPerSecond = 10
/** Ten ticks a second for everybody may be more than a machine can; so many frames are sent, and what one costs is multiplied. */
const framesPerSecondMax = 20_000
/** When a gate opens, all who wait are told out of turn; that is over by then. */
const openingMs = 1_500

export interface LineParts {
  readonly stage: Stage
  /** The server that tells everybody at each tick, and those who listen to it. */
  readonly peer: HelperProcess<TickFramesCalls>
  readonly peerCrowd: HelperProcess<LoadCalls>
}

export interface LinePlan {
  readonly conns: number
  readonly seconds: number
  /** How many are let in a second. */
  readonly rate: number
}

/** What one round has shown. */
export interface LineRound {
  /** Connections that still waited, on the average of our turn. */
  readonly waiting: number
  readonly ours: Turn
  readonly polls: Turn
  readonly ticks: Turn
  /** Cores of the server. */
  readonly cores: { readonly ours: number; readonly polls: number; readonly ticks: number }
}

/** How a line ended: what was told in our turns, what everybody heard, and what PostgreSQL has of it. */
export interface LineEnd {
  readonly judged: readonly LineJudgement[]
  readonly heard: LineHeard
  readonly admissions: number
  /** Admissions that are not in the order of the line. */
  readonly moved: number
}

/** A line in which everybody has a connection: ours and the plain designs take turns with it until all are let in. */
export class WaitingLine {
  readonly windows: Window[] = []
  readonly #parts: LineParts
  readonly #plan: LinePlan
  /** Of ours, in milliseconds of the wall clock. */
  readonly #turns: { readonly fromMs: number; readonly toMs: number }[] = []
  #sale = ''
  #order: readonly string[] = []

  constructor(parts: LineParts, plan: LinePlan) {
    this.#parts = parts
    this.#plan = plan
  }

  /** Everybody joins while the gate is shut. */
  async join(): Promise<void> {
    const { load, server, redis, createSale, changeSale } = this.#parts.stage
    const { conns, rate } = this.#plan
    const dates = Array.from({ length: 28 }, (_, day) => `2030-01-${String(day + 1).padStart(2, '0')}`)
    // Buyers stay inside, so there is room for all of them.
    const queue = { ratePerMinute: rate * 60, maxActive: 1_000_000, tokenTtlSeconds: 86_400 }
    this.#sale = await createSale({ dates, hours: ['10:00'], capacity: 100_000, queue })
    await changeSale(this.#sale, { status: 'paused' })
    const asked = { port: server.port, connections: 64, sales: [this.#sale], seconds: 300, count: conns }
    const { statuses } = await load.ask('join', asked)
    if (statuses['201'] !== conns) throw new Error(`not all could join: ${JSON.stringify(statuses)}`)
    this.#order = await redis.zrange(saleKeys(this.#sale).queue, 0, -1)
  }

  /**
   * What one more connection holds of the memory of a server, in bytes: what the second half of them adds to the first.
   * Of a server that only serves connections: in the other one, what the joining of so many has left would hide it.
   */
  async memoryOfConnection(env: Readonly<Record<string, string>>): Promise<number> {
    const { stores, load } = this.#parts.stage
    const port = await freeLowPort()
    const roles = { OPENRUN_ROLES: 'edge', NODE_OPTIONS: inspectable(port) }
    const edge = await startServerProcess({ ...stores, env: { ...env, ...roles } })
    const reader = await MemoryReader.open(port)
    const half = Math.floor(this.#order.length / 2)
    try {
      await this.#listen(edge.port, this.#order.slice(0, half))
      const before = await reader.heldBytes()
      await this.#listen(edge.port, this.#order.slice(half))
      return ((await reader.heldBytes()) - before) / (this.#order.length - half)
    } finally {
      await load.ask('leaveLine', undefined)
      await reader.close()
      await edge.stop()
    }
  }

  /** Everybody listens, here and at the peer, and the gate opens. */
  async open(): Promise<void> {
    const { stage, peer, peerCrowd } = this.#parts
    await this.#listen(stage.server.port, this.#order)
    const { port } = await peer.ask('listen', { channel: `queue:${this.#sale}` })
    await peerCrowd.ask('waitInLine', { port, sale: this.#sale, order: this.#order, streams: 0 })
    await stage.changeSale(this.#sale, { status: 'open' })
    await wait(openingMs)
  }

  async round(): Promise<LineRound> {
    const before = await this.#waiting()
    const ours = await this.#ours()
    const waiting = (before + (await this.#waiting())) / 2
    const polls = await this.#polls(ours.cores)
    const ticks = await this.#ticks()
    const coresAt = (perSecond: number, { cpuMicros }: Turn): number =>
      ((cpuMicros['server'] ?? Number.NaN) * perSecond) / 1e6
    const cores = {
      ours: ours.cores,
      polls: coresAt(waiting, polls),
      ticks: coresAt(waiting * ticksPerSecond, ticks),
    }
    return { waiting, ours: ours.turn, polls, ticks, cores }
  }

  /** Lets everybody in, and says how the line went. */
  async end(): Promise<LineEnd> {
    const { stage, peerCrowd } = this.#parts
    const { load, sql } = stage
    const { rate } = this.#plan
    await openWide(stage, { sale: this.#sale, perSecond: rate })
    const heard = await load.ask('admittedAll', { seconds: 60 })
    // Only now: before, the word of whoever left the line last may be on its way.
    const judged = []
    for (const turn of this.#turns) judged.push(await load.ask('judgeLine', { ...turn, perSecond: rate }))
    const inOrder = await sql<{ account_id: string }[]>`
      select account_id from admissions where sale_id = ${this.#sale} order by admitted_at, sequence`
    const moved = inOrder.filter(({ account_id }, index) => account_id !== this.#order[index]).length
    await load.ask('leaveLine', undefined)
    await peerCrowd.ask('leaveLine', undefined)
    await stage.closeSale(this.#sale)
    return { judged, heard, admissions: inOrder.length, moved }
  }

  async #listen(port: number, order: readonly string[]): Promise<void> {
    await this.#parts.stage.load.ask('waitInLine', { port, sale: this.#sale, order, streams: 0.5 })
  }

  async #waiting(): Promise<number> {
    return await this.#parts.stage.redis.zcard(saleKeys(this.#sale).queue)
  }

  async #ours(): Promise<{ turn: Turn; cores: number }> {
    const { load, server } = this.#parts.stage
    const { seconds, rate } = this.#plan
    const fromMs = Date.now()
    const {
      usedMicros,
      result: _,
      ...window
    } = await metered(this.#meters(server.pid, load.pid), () => wait(seconds * 1000))
    const turn = { fromMs, toMs: Date.now() }
    this.windows.push({ ...window, name: 'positions' })
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
    const { load, server } = this.#parts.stage
    const asked = {
      port: server.port,
      connections: 64,
      sale: this.#sale,
      waiters: this.#order.slice(-Math.ceil(this.#order.length / 2)),
      seconds: this.#plan.seconds * peerPart,
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
    const { peer, peerCrowd } = this.#parts
    const { conns, seconds } = this.#plan
    const everyMs = Math.max(1000 / ticksPerSecond, (conns / framesPerSecondMax) * 1000)
    const ticks = Math.ceil((seconds * peerPart * 1000) / everyMs)
    const { result, cpuMicros } = await timed(
      this.#meters(peer.pid, peerCrowd.pid),
      () => peer.ask('tick', { ticks, everyMs }),
      ({ frames }) => frames,
    )
    const perSecond = result.frames / ((ticks * everyMs) / 1000)
    return { perSecond, p50Ms: Number.NaN, p99Ms: Number.NaN, cpuMicros }
  }

  #meters(serverPid: number, loadPid: number) {
    const { redis } = this.#parts.stage.stores
    return {
      server: () => cpuMicrosOf(serverPid),
      load: () => cpuMicrosOf(loadPid),
      redis: () => cpuMicrosOf(redis?.pid ?? 0),
    }
  }
}
