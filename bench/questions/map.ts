import { connectRedis } from '../../src/db/redis.ts'
import { createLog } from '../../src/log.ts'
import { holders, openChangingSale } from './map-changes.ts'
import { curvesOfMap, figuresOfMap, rowsOfMap, type Point, type SocketTurns } from './map-findings.ts'
import { Publisher, type TheirTurn } from './map-publishers.ts'
import { MapTurns, type OurTurn } from './map-turns.ts'
import { residentBytesOf } from '../measure/memory-use.ts'
import { connectionsMax, defineQuestion, turnOptions } from '../question.ts'
import type { Stage } from '../stage/stage.ts'
import {
  figureOf,
  sideOf,
  type Check,
  type Curve,
  type Figure,
  type Findings,
  type Window,
} from '../measure/turn.ts'

/** Viewers over event streams, as a part of those over WebSockets. */
const streamPart = 0.2
/** Where the curves go beside what the turns are measured at, in the order in which they are. */
const changesBeyond = [1000, 10] as const
const seatsBeyond = [50_000, 12_000] as const

const mapOptions = {
  ...turnOptions({ seconds: [4, 8], rounds: [1, 2] }),
  viewers: {
    about: 'who watch over WebSockets, and in other turns a fifth of them over event streams',
    quick: 4_000,
    full: 10_000,
    least: 5,
    most: connectionsMax,
  },
  seats: { about: 'seats of the hall', quick: 2_400, full: 2_400, least: 100, most: 50_000 },
  changes: { about: 'holds and releases a second', quick: 100, full: 100, least: 1, most: 2_000 },
  points: { about: 'points of each curve', quick: 2, full: 3, least: 1, most: 3 },
  curve: { about: 'length of the turns of a curve, in seconds', quick: 1.5, full: 4, least: 0.5, most: 600 },
}

export const map = defineQuestion({
  name: 'map',
  about: 'how soon all viewers of a hall see what others choose',
  options: mapOptions,
  ask: async (bench, options) => {
    const stage = await bench.open({ accounts: holders })
    const question = new MapQuestion(stage, options)
    try {
      return await question.ask()
    } finally {
      await question.stop()
    }
  },
})

type Options = Readonly<Record<keyof typeof mapOptions, number>>

/**
 * How soon does the last viewer of a map see what others choose, and what does telling them cost, against the web server,
 * and two programs that a user would write instead, publishing the same bytes at the same times?
 */
class MapQuestion {
  readonly #stage: Stage
  readonly #options: Options
  readonly #limit = new Publisher('bare publishing')
  readonly #ws = new Publisher('ws')
  readonly #socketIo = new Publisher('Socket.IO')
  readonly #endings: (() => void)[] = []
  readonly #windows: Window[] = []
  readonly #figures: Figure[] = []
  readonly #checks: Check[] = []

  constructor(stage: Stage, options: Options) {
    this.#stage = stage
    this.#options = options
  }

  async ask(): Promise<Findings> {
    const { server } = this.#stage
    const { viewers, seats } = this.#options
    const turns = await this.#open(seats)
    const before = residentBytesOf(server.pid)
    await turns.gather('sockets')
    const bytes = (residentBytesOf(server.pid) - before) / viewers
    this.#figures.push(figureOf('memory of the server for a viewer', 'bytes', [bytes]))
    const sockets = await this.#overSockets(turns)
    const curves = [...(await this.#overChanges(turns, sockets)), ...(await this.#overSeats(turns, sockets))]
    const streams = await this.#overStreams()
    this.#figures.push(...figuresOfMap('WebSockets', sockets.ours), ...figuresOfMap('event streams', streams))
    const sides = { openrun: sockets.ours, 'openrun, event streams': streams, ...theirs(sockets) }
    return {
      sides: Object.entries(sides).map(([name, some]) =>
        sideOf(
          name,
          some.map(({ turn }) => turn),
        ),
      ),
      rows: rowsOfMap(sockets, viewers),
      curves,
      figures: this.#figures,
      checks: this.#checks,
      windows: this.#windows,
    }
  }

  async stop(): Promise<void> {
    for (const end of this.#endings) end()
    for (const publisher of [this.#limit, this.#ws, this.#socketIo]) await publisher.stop()
  }

  /** A hall of so many seats on our server, whose map can be changed. */
  async #open(seats: number): Promise<MapTurns> {
    const log = createLog({ level: 'silent' })
    const redis = connectRedis({ url: this.#stage.stores.redisUrl, name: 'bench-changes', log })
    this.#endings.push(() => redis.disconnect())
    const changes = await openChangingSale(this.#stage, { seats, redis })
    const hall = { seats, viewers: this.#options.viewers }
    return new MapTurns(this.#stage, { hall, changes, checks: this.#checks, windows: this.#windows })
  }

  /** Ours, the limit and the peers, one after the other. */
  async #overSockets(turns: MapTurns): Promise<SocketTurns> {
    const { rounds, seconds, changes: perSecond } = this.#options
    const others = [this.#limit, this.#ws, this.#socketIo]
    const snapshot = await turns.snapshot()
    for (const other of others) await other.gather(turns.hall, snapshot)
    const warmUp = await turns.run('warm-up', { seconds: Math.min(1.5, seconds), perSecond })
    for (const other of others) await other.play(`warm-up of ${other.name}`, warmUp, this.#checks)
    const ours: OurTurn[] = []
    const told = new Map(others.map((other): [Publisher, TheirTurn[]] => [other, []]))
    for (let round = 1; round <= rounds; round++) {
      const our = await turns.run(`sockets ${round}`, { seconds, perSecond })
      ours.push(our)
      for (const [other, theirTurns] of told)
        theirTurns.push(await other.play(`${other.name} ${round}`, our, this.#checks))
    }
    // Their crowds are of no use any more, and cost a little while they are there.
    await this.#ws.stop()
    await this.#socketIo.stop()
    const of = (publisher: Publisher): TheirTurn[] => told.get(publisher) ?? []
    return { ours, limit: of(this.#limit), ws: of(this.#ws), socketIo: of(this.#socketIo) }
  }

  async #overChanges(turns: MapTurns, sockets: SocketTurns): Promise<Curve[]> {
    const { points: count, changes } = this.#options
    const points = pointsOf(changes, sockets)
    for (const perSecond of changesBeyond.slice(0, count - 1))
      points.push({ x: perSecond, ...(await this.#point(turns, `${perSecond} changes/s`, perSecond)) })
    await turns.end()
    return points.length < 2 ? [] : curvesOfMap({ name: 'changes', unit: '/s' }, points)
  }

  async #overSeats({ hall }: MapTurns, sockets: SocketTurns): Promise<Curve[]> {
    const { points: count, changes: perSecond } = this.#options
    const points = pointsOf(hall.seats, sockets)
    for (const seats of seatsBeyond.slice(0, count - 1)) {
      const turns = await this.#open(seats)
      await turns.gather('sockets')
      await this.#limit.gather(turns.hall, await turns.snapshot())
      points.push({ x: seats, ...(await this.#point(turns, `${seats} seats`, perSecond)) })
      await turns.end()
    }
    return points.length < 2 ? [] : curvesOfMap({ name: 'seats', unit: 'seats' }, points)
  }

  async #point(turns: MapTurns, name: string, perSecond: number): Promise<Omit<Point, 'x'>> {
    const ours = await turns.run(name, { seconds: this.#options.curve, perSecond })
    return { ours, limit: await this.#limit.play(`${name} at the limit`, ours, this.#checks) }
  }

  async #overStreams(): Promise<OurTurn[]> {
    const { rounds, seconds, seats, viewers, changes: perSecond } = this.#options
    const turns = await this.#open(seats)
    await turns.gather('streams', Math.ceil(viewers * streamPart))
    const told: OurTurn[] = []
    for (let round = 1; round <= rounds; round++)
      told.push(await turns.run(`event streams ${round}`, { seconds: seconds / 2, perSecond }))
    await turns.end()
    return told
  }
}

/** What was measured at length is a point of each curve. */
function pointsOf(x: number, { ours, limit }: SocketTurns): Point[] {
  const [our, their] = [ours.at(-1), limit.at(-1)]
  return our === undefined || their === undefined ? [] : [{ x, ours: our, limit: their }]
}

function theirs({ limit, ws, socketIo }: SocketTurns): Readonly<Record<string, readonly TheirTurn[]>> {
  return { 'bare publishing': limit, 'ws in a loop': ws, 'Socket.IO': socketIo }
}
