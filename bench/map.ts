import { connectRedis } from '../src/db/redis.ts'
import { saleKeys } from '../src/domain/sale-state/sale-keys.ts'
import type { AvailabilitySnapshot } from '../src/domain/units/unit-messages.ts'
import { createLog } from '../src/log.ts'
import { cpuMicrosOf } from './cpu-time.ts'
import { HelperProcess } from './helper-process.ts'
import type { BarePublishCalls } from './limits/bare-publish-calls.ts'
import type { LoadCalls, MapLatency, MapTold } from './load/load-calls.ts'
import { holders, openChangingSale, type MapChanges } from './map-changes.ts'
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
  type Check,
  type Figure,
  type Findings,
  type Turn,
  type Window,
} from './turn.ts'

/** Viewers over event streams, as a part of those over WebSockets. */
const streamPart = 0.2
/** How long the last viewer may take to learn of the last change. */
const patienceSeconds = 20

type Crowd = HelperProcess<LoadCalls>

interface Helpers {
  readonly limit: HelperProcess<BarePublishCalls>
  /** Those who listen to the limit: one process could not have all their sockets open. */
  readonly limitCrowd: Crowd
  readonly changes: MapChanges
}

const mapOptions = {
  ...turnOptions({ seconds: [5, 8], rounds: [1, 3] }),
  viewers: {
    about: 'who watch over WebSockets, and in other turns a fifth of them over event streams',
    quick: 10_000,
    full: 10_000,
    least: 5,
    most: connectionsMax,
  },
  seats: { about: 'seats of the hall', quick: 2_400, full: 2_400, least: 100, most: 50_000 },
  changes: { about: 'holds and releases a second', quick: 100, full: 100, least: 1, most: 2_000 },
}

export const map = defineQuestion({
  name: 'map',
  about: 'how soon all viewers of a hall see what others choose',
  options: mapOptions,
  ask: async (bench, options) => await askMap(await bench.open({ accounts: holders }), options),
})

type Options = Readonly<Record<keyof typeof mapOptions, number>>

/**
 * How soon does each viewer of a map see what others choose, and what does telling them cost, against the web server
 * publishing the same bytes at the same times?
 */
async function askMap(stage: Stage, options: Options): Promise<Findings> {
  const limit = new HelperProcess<BarePublishCalls>(new URL('./limits/bare-publish.ts', import.meta.url))
  const limitCrowd: Crowd = new HelperProcess(new URL('./load/load-program.ts', import.meta.url))
  const log = createLog({ level: 'silent' })
  const redis = connectRedis({ url: stage.stores.redisUrl, name: 'bench-changes', log })
  try {
    const changes = await openChangingSale(stage, { seats: options.seats, redis })
    return await new MapQuestion(stage, options, { limit, limitCrowd, changes }).ask()
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
  readonly #options: Options
  readonly #helpers: Helpers
  readonly #windows: Window[] = []
  readonly #figures: Figure[] = []
  readonly #checks: Check[] = []
  readonly #sale: string

  constructor(stage: Stage, options: Options, helpers: Helpers) {
    this.#stage = stage
    this.#options = options
    this.#helpers = helpers
    this.#sale = helpers.changes.sale
  }

  async ask(): Promise<Findings> {
    const { load, server, closeSale } = this.#stage
    const { rounds, seconds, viewers } = this.#options
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
      rows: [
        rowOf({
          metric: 'server CPU for a frame to a viewer',
          unit: 'µs',
          ours: cpu(turns),
          limit: cpu(limit),
          goal: { of: 'limit', most: 1.15 },
        }),
        rowOf({
          metric: 'change to last viewer, p99',
          unit: 'ms',
          ours: ours.map(({ told }) => told.last.p99Ms),
          limit: limit.map(({ p99Ms }) => p99Ms),
          goal: { of: 'ours', most: 100 },
        }),
      ],
      figures: this.#figures,
      checks: this.#checks,
      windows: this.#windows,
    }
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
    const { load, server } = this.#stage
    const { changes: perSecond } = this.#options
    const before = await this.#snapshot()
    const firstSeq = (await this.#revision()) + 1
    await load.ask('beginMap', undefined)
    const work = async () => {
      const stamps = await this.#helpers.changes.run({ count: Math.ceil(seconds * perSecond), perSecond })
      const position = `${before.epoch}:${await this.#revision()}`
      return { stamps, ...(await load.ask('mapReached', { position, seconds: patienceSeconds })) }
    }
    const { result, usedMicros, ...window } = await metered(this.#meters(server.pid, load.pid), work)
    this.#windows.push({ ...window, name: 'map' })
    const { stamps, elsewhere } = result
    const told = await load.ask('mapTold', { firstSeq, stamps })
    this.#checks.push(check(`${name}: viewers who do not know the last change`, 0, elsewhere))
    await this.#checkPictures(name, load, told)
    const perSecondTold = told.receipts / seconds
    return {
      turn: { perSecond: perSecondTold, ...told.each, cpuMicros: shares(usedMicros, told.receipts) },
      told,
      before,
      cores: coresOf(usedMicros['server'], window),
      framesPerSecond: told.frames.length / seconds,
    }
  }

  #meters(serverPid: number, loadPid: number) {
    const { redis } = this.#stage.stores
    return {
      server: () => cpuMicrosOf(serverPid),
      load: () => cpuMicrosOf(loadPid),
      redis: () => cpuMicrosOf(redis?.pid ?? 0),
    }
  }

  /** The frames of a turn of ours, told once more by the limit. */
  async #theirs(name: string, { told: { frames }, before }: OurTurn): Promise<Turn> {
    const { limit, limitCrowd } = this.#helpers
    const first = frames[0]
    const last = frames.at(-1)
    if (first === undefined || last === undefined) throw new Error('nothing was told')
    await limit.ask('tell', { text: snapshotText(this.#sale, before) })
    await limitCrowd.ask('mapReached', { position: positionOf(before), seconds: patienceSeconds })
    await limitCrowd.ask('beginMap', undefined)
    const play = frames.map(({ text, atMicros }) => ({ text, afterMicros: atMicros - first.atMicros }))
    const work = async () => {
      const { atMicros } = await limit.ask('play', { frames: play })
      await limitCrowd.ask('mapReached', { position: last.id, seconds: patienceSeconds })
      return atMicros
    }
    const meters = this.#meters(limit.pid, limitCrowd.pid)
    const { result: atMicros, usedMicros } = await metered(meters, work)
    const stamps = frames.flatMap(({ prev, seq }, index) =>
      Array.from({ length: seq - prev }, () => atMicros[index] ?? Number.NaN),
    )
    const told = await limitCrowd.ask('mapTold', { firstSeq: first.prev + 1, stamps })
    this.#checks.push(
      check(`${name}: frames told`, frames.length * this.#options.viewers, told.receipts),
      check(`${name}: deltas that did not follow`, 0, told.gaps),
    )
    const seconds = Math.max(1, last.atMicros - first.atMicros) / 1e6
    const cpuMicros = shares(usedMicros, told.receipts)
    return { perSecond: told.receipts / seconds, ...told.each, cpuMicros }
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
      check('changes that were refused', 0, this.#helpers.changes.refused),
      check('revisions of the map', this.#helpers.changes.made, await this.#revision()),
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
