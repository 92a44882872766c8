import { connectRedis, RedisLife, type Redis } from '../src/db/redis.ts'
import { parseAdmission } from '../src/domain/queue/queue-place.ts'
import { saleKeys } from '../src/domain/sale-state/sale-keys.ts'
import { SaleState } from '../src/domain/sale-state/sale-state.ts'
import { HoldStore } from '../src/domain/units/hold-store.ts'
import type { AvailabilitySnapshot } from '../src/domain/units/unit-messages.ts'
import { createLog } from '../src/log.ts'
import type { BenchOptions } from './bench-options.ts'
import { cpuMicrosOf } from './cpu-time.ts'
import { HelperProcess } from './helper-process.ts'
import type { BarePublishCalls } from './limits/bare-publish-calls.ts'
import type { LoadCalls, MapLatency, MapTold } from './load/load-calls.ts'
import { MapChanges, type Holder } from './map-changes.ts'
import { residentBytesOf } from './memory-use.ts'
import type { Stage } from './stage.ts'
import {
  check,
  figureOf,
  ratioOf,
  sideOf,
  timed,
  type Check,
  type Figure,
  type Findings,
  type Turn,
  type Window,
} from './turn.ts'

/** Buyers who hold and give back. */
export const holders = 200
/** Of an account, more than it ever holds at once. */
const perAccount = 50
/** Viewers over event streams, as a part of those over WebSockets. */
const streamPart = 0.2
/** How long the last viewer may take to learn of the last change. */
const patienceSeconds = 20

type Crowd = HelperProcess<LoadCalls>

interface Helpers {
  readonly limit: HelperProcess<BarePublishCalls>
  /** Those who listen to the limit: one process could not have all their sockets open. */
  readonly limitCrowd: Crowd
  readonly redis: Redis
}

/**
 * How soon does each viewer of a map see what others choose, and what does telling them cost, against the web server
 * publishing the same bytes at the same times?
 */
export async function askMap(stage: Stage, options: BenchOptions): Promise<Findings> {
  const limit = new HelperProcess<BarePublishCalls>(new URL('./limits/bare-publish.ts', import.meta.url))
  const limitCrowd: Crowd = new HelperProcess(new URL('./load/load-program.ts', import.meta.url))
  const log = createLog({ level: 'silent' })
  const redis = connectRedis({ url: stage.stores.redisUrl, name: 'bench-changes', log })
  try {
    return await new MapQuestion(stage, options, { limit, limitCrowd, redis }).ask()
  } finally {
    redis.disconnect()
    await limitCrowd.stop()
    await limit.stop()
  }
}

interface OurTurn {
  readonly turn: Turn
  readonly told: MapTold
  /** Where the map stood before, as its viewers were told it. */
  readonly before: AvailabilitySnapshot
  readonly cores: number
  readonly framesPerSecond: number
}

class MapQuestion {
  readonly #stage: Stage
  readonly #options: BenchOptions
  readonly #helpers: Helpers
  readonly #windows: Window[] = []
  readonly #figures: Figure[] = []
  readonly #checks: Check[] = []
  #sale = ''
  #changes: MapChanges | undefined
  /** The revision that all changes of ours follow. */
  #firstRevision = 0
  #made = 0

  constructor(stage: Stage, options: BenchOptions, helpers: Helpers) {
    this.#stage = stage
    this.#options = options
    this.#helpers = helpers
  }

  async ask(): Promise<Findings> {
    const { load, server, closeSale } = this.#stage
    const { rounds, seconds, viewers } = this.#options
    await this.#open()
    const before = residentBytesOf(server.pid)
    await this.#watch('sockets', viewers)
    const bytes = (residentBytesOf(server.pid) - before) / viewers
    await this.#gatherAtLimit()
    const warmUp = await this.#ours('warm-up', Math.min(2, seconds))
    await this.#theirs('warm-up of the limit', warmUp)
    const [ours, limit]: [OurTurn[], Turn[]] = [[], []]
    for (let round = 1; round <= rounds; round++) {
      const our = await this.#ours(`sockets ${round}`, seconds)
      ours.push(our)
      limit.push(await this.#theirs(`limit ${round}`, our))
    }
    await load.ask('leaveMap', undefined)
    const streams = await this.#overStreams()
    this.#figures.push(figureOf('memory of the server for a viewer', 'bytes', [bytes]))
    this.#tellFigures('WebSockets', ours)
    this.#tellFigures('event streams', streams)
    await this.#checkChanges()
    await closeSale(this.#sale)
    const turns = ours.map(({ turn }) => turn)
    const cpu = (some: readonly Turn[]) => some.map((turn) => turn.cpuMicros['server'] ?? Number.NaN)
    return {
      sides: [
        sideOf('openrun, WebSockets', turns),
        sideOf(
          'openrun, event streams',
          streams.map(({ turn }) => turn),
        ),
        sideOf('bare publishing', limit),
      ],
      ratios: [
        ratioOf(
          { name: 'frames told per server CPU second', goal: 0.8 },
          { top: cpu(limit), bottom: cpu(turns) },
        ),
      ],
      figures: this.#figures,
      checks: this.#checks,
      windows: this.#windows,
    }
  }

  /** The sale, and buyers inside it. */
  async #open(): Promise<void> {
    const { load, server, createSale } = this.#stage
    const { seats } = this.#options
    const queue = {
      ratePerMinute: 6_000_000,
      maxActive: 1_000_000,
      tokenTtlSeconds: 86_400,
      holdTtlSeconds: 86_400,
      maxPerAccount: perAccount,
    }
    this.#sale = await createSale({ seats, queue })
    const target = { port: server.port, connections: 16 }
    // No more than the gate lets in for so few seats.
    await load.ask('join', { ...target, sales: [this.#sale], seconds: 300, count: Math.min(holders, seats) })
    const inside = await this.#inside(Math.min(holders, seats))
    const { redis } = this.#helpers
    const life = new RedisLife(redis)
    await redis.connect()
    await life.known()
    const state = new SaleState({ redis, life })
    await state.refresh(this.#sale)
    const holds = new HoldStore(state)
    this.#changes = new MapChanges({ holds, sale: this.#sale, seats, holders: inside })
    this.#firstRevision = await this.#revision()
    // Redis learns the scripts: a call that has to be repeated would change places with the next one.
    await this.#change(4, 10)
  }

  async #inside(count: number): Promise<Holder[]> {
    const { redis } = this.#stage
    const { active, granting } = saleKeys(this.#sale)
    for (let looks = 0; looks < 500; looks++) {
      const records = Object.entries(await redis.hgetall(active))
      if (records.length === count && (await redis.hlen(granting)) === 0)
        return records.map(([accountId, record]) => ({ accountId, ...parseAdmission(record) }))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`${count} buyers are not let in`)
  }

  async #change(count: number, perSecond: number): Promise<number[]> {
    if (this.#changes === undefined) throw new Error('nobody is there to change the map')
    this.#made += count
    return await this.#changes.run({ count, perSecond })
  }

  async #watch(over: 'sockets' | 'streams', viewers: number): Promise<void> {
    const { load, server } = this.#stage
    const { seats } = this.#options
    await load.ask('watchMap', { port: server.port, sale: this.#sale, seats, viewers, over })
  }

  async #gatherAtLimit(): Promise<void> {
    const { limit, limitCrowd } = this.#helpers
    const { seats, viewers } = this.#options
    const { port } = await limit.ask('listen', undefined)
    await limit.ask('tell', { text: snapshotText(this.#sale, await this.#snapshot()) })
    await limitCrowd.ask('watchMap', { port, sale: this.#sale, seats, viewers, over: 'sockets' })
  }

  async #snapshot(): Promise<AvailabilitySnapshot> {
    return (await this.#stage.read(`/api/v1/sales/${this.#sale}/availability`)) as AvailabilitySnapshot
  }

  /** The last revision of the sale's units. */
  async #revision(): Promise<number> {
    return Number(await this.#stage.redis.hget(saleKeys(this.#sale).state, 'rev'))
  }

  async #ours(name: string, seconds: number): Promise<OurTurn> {
    const { load, server, stores } = this.#stage
    const { changes: perSecond } = this.#options
    const before = await this.#snapshot()
    const firstSeq = (await this.#revision()) + 1
    await load.ask('beginMap', undefined)
    const count = Math.ceil(seconds * perSecond)
    const work = async (): Promise<MapTold> => {
      const stamps = await this.#change(count, perSecond)
      const position = `${before.epoch}:${await this.#revision()}`
      const { elsewhere } = await load.ask('mapReached', { position, seconds: patienceSeconds })
      this.#checks.push(check(`${name}: viewers who do not know the last change`, 0, elsewhere))
      return await load.ask('mapTold', { firstSeq, stamps })
    }
    const meters = {
      server: () => cpuMicrosOf(server.pid),
      load: () => cpuMicrosOf(load.pid),
      redis: () => cpuMicrosOf(stores.redis?.pid ?? 0),
    }
    const { result: told, cpuMicros, ...window } = await timed(meters, work, ({ receipts }) => receipts)
    this.#windows.push({ ...window, name: 'map' })
    await this.#checkPictures(name, load, told)
    const turn = { perSecond: told.receipts / seconds, ...told.each, cpuMicros }
    const cores =
      ((cpuMicros['server'] ?? Number.NaN) * told.receipts) / (window.toMicros - window.fromMicros)
    return { turn, told, before, cores, framesPerSecond: told.frames.length / seconds }
  }

  /** The frames of a turn of ours, told once more by the limit. */
  async #theirs(name: string, { told: { frames }, before }: OurTurn): Promise<Turn> {
    const { limit, limitCrowd } = this.#helpers
    const { redis } = this.#stage.stores
    const first = frames[0]
    const last = frames.at(-1)
    if (first === undefined || last === undefined) throw new Error('nothing was told')
    await limit.ask('tell', { text: snapshotText(this.#sale, before) })
    await limitCrowd.ask('mapReached', { position: positionOf(before), seconds: patienceSeconds })
    await limitCrowd.ask('beginMap', undefined)
    const play = frames.map(({ text, atMicros }) => ({ text, afterMicros: atMicros - first.atMicros }))
    const work = async (): Promise<MapTold> => {
      const { atMicros } = await limit.ask('play', { frames: play })
      await limitCrowd.ask('mapReached', { position: last.id, seconds: patienceSeconds })
      const stamps = frames.flatMap(({ prev, seq }, index) =>
        Array.from({ length: seq - prev }, () => atMicros[index] ?? Number.NaN),
      )
      return await limitCrowd.ask('mapTold', { firstSeq: first.prev + 1, stamps })
    }
    const meters = {
      server: () => cpuMicrosOf(limit.pid),
      load: () => cpuMicrosOf(limitCrowd.pid),
      redis: () => cpuMicrosOf(redis?.pid ?? 0),
    }
    const { result, cpuMicros } = await timed(meters, work, ({ receipts }) => receipts)
    this.#checks.push(
      check(`${name}: frames told`, frames.length * this.#options.viewers, result.receipts),
      check(`${name}: deltas that did not follow`, 0, result.gaps),
    )
    const seconds = Math.max(1, last.atMicros - first.atMicros) / 1e6
    return { perSecond: result.receipts / seconds, ...result.each, cpuMicros }
  }

  async #overStreams(): Promise<OurTurn[]> {
    const { rounds, seconds, viewers } = this.#options
    await this.#watch('streams', Math.ceil(viewers * streamPart))
    const turns: OurTurn[] = []
    for (let round = 1; round <= rounds; round++)
      turns.push(await this.#ours(`event streams ${round}`, seconds))
    await this.#stage.load.ask('leaveMap', undefined)
    return turns
  }

  #tellFigures(name: string, turns: readonly OurTurn[]): void {
    const last = (pick: (latency: MapLatency) => number) => turns.map(({ told }) => pick(told.last))
    this.#figures.push(
      figureOf(
        `${name}: frames a second`,
        'to each',
        turns.map(({ framesPerSecond }) => framesPerSecond),
      ),
      figureOf(
        `${name}: server`,
        'cores',
        turns.map(({ cores }) => cores),
      ),
      figureOf(
        `${name}: the last viewer of a frame, p50`,
        'ms',
        last(({ p50Ms }) => p50Ms),
      ),
      figureOf(
        `${name}: the last viewer of a frame, p99`,
        'ms',
        last(({ p99Ms }) => p99Ms),
      ),
    )
  }

  /** What every viewer made of the deltas is what the server says of the same position. */
  async #checkPictures(name: string, crowd: Crowd, told: MapTold): Promise<void> {
    const snapshot = await this.#snapshot()
    const { different } = await crowd.ask('compareMaps', {
      position: positionOf(snapshot),
      seats: snapshot.seats,
    })
    this.#checks.push(
      check(`${name}: viewers with another picture`, 0, different),
      check(`${name}: deltas that did not follow`, 0, told.gaps),
      check(`${name}: connections cut off`, 0, told.cutOff),
      check(`${name}: frames that could not be kept`, 0, told.notKept),
    )
  }

  /** Each change made one revision: so the moment of each is known by its revision. */
  async #checkChanges(): Promise<void> {
    this.#checks.push(
      check('changes that were refused', 0, this.#changes?.refused ?? 0),
      check('revisions of the map', this.#made, (await this.#revision()) - this.#firstRevision),
    )
  }
}

function positionOf({ epoch, seq }: AvailabilitySnapshot): string {
  return `${epoch}:${seq}`
}

/** As our server tells it over a WebSocket. */
function snapshotText(saleId: string, snapshot: AvailabilitySnapshot): string {
  return JSON.stringify({
    ch: `units:${saleId}`,
    type: 'snapshot',
    id: positionOf(snapshot),
    data: snapshot,
  })
}
