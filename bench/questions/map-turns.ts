import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import type { AvailabilitySnapshot } from '../../src/domain/units/unit-messages.ts'
import { cpuMicrosOf } from '../measure/cpu-time.ts'
import type { MapTold } from '../load/load-calls.ts'
import type { MapChanges } from './map-changes.ts'
import { patienceSeconds, positionOf, type Hall } from './map-publishers.ts'
import type { Stage } from '../stage/stage.ts'
import { check, coresOf, metered, shares, type Check, type Turn, type Window } from '../measure/turn.ts'

export interface OurTurn {
  readonly turn: Turn
  readonly told: MapTold
  /** Where the map stood before, as its viewers were told it. */
  readonly before: AvailabilitySnapshot
  readonly cores: number
  readonly framesPerSecond: number
}

/** How a turn goes. */
export interface Pace {
  readonly seconds: number
  /** Holds and releases a second. */
  readonly perSecond: number
}

/** Our server with one hall, whose map is changed while a crowd watches. */
export class MapTurns {
  readonly hall: Hall
  readonly #stage: Stage
  readonly #changes: MapChanges
  readonly #checks: Check[]
  readonly #windows: Window[]

  constructor(
    stage: Stage,
    {
      hall,
      changes,
      checks,
      windows,
    }: {
      readonly hall: Omit<Hall, 'sale'>
      readonly changes: MapChanges
      readonly checks: Check[]
      readonly windows: Window[]
    },
  ) {
    this.#stage = stage
    this.hall = { ...hall, sale: changes.sale }
    this.#changes = changes
    this.#checks = checks
    this.#windows = windows
  }

  /** Everybody comes; who was there before leaves. */
  async gather(over: 'sockets' | 'streams', viewers = this.hall.viewers): Promise<void> {
    const { load, server } = this.#stage
    await load.ask('leaveMap', undefined)
    await load.ask('watchMap', { ...this.hall, viewers, port: server.port, over })
  }

  async snapshot(): Promise<AvailabilitySnapshot> {
    const path = `/api/v1/sales/${this.hall.sale}/availability`
    return (await this.#stage.read(path)) as AvailabilitySnapshot
  }

  async run(name: string, { seconds, perSecond }: Pace): Promise<OurTurn> {
    const { load, server } = this.#stage
    const before = await this.snapshot()
    const firstSeq = (await this.#revision()) + 1
    await load.ask('beginMap', undefined)
    const { result, usedMicros, ...window } = await metered(this.#meters(server.pid, load.pid), async () => {
      const stamps = await this.#changes.run({ count: Math.ceil(seconds * perSecond), perSecond })
      const position = `${before.epoch}:${await this.#revision()}`
      return { stamps, ...(await load.ask('mapReached', { position, seconds: patienceSeconds })) }
    })
    this.#windows.push({ ...window, name: 'map' })
    const told = await load.ask('mapTold', { firstSeq, stamps: result.stamps })
    this.#checks.push(check(`${name}: viewers who do not know the last change`, 0, result.elsewhere))
    await this.#checkPictures(name, told)
    const perSecondTold = told.receipts / seconds
    return {
      turn: { perSecond: perSecondTold, ...told.each, cpuMicros: shares(usedMicros, told.receipts) },
      told,
      before,
      cores: coresOf(usedMicros['server'], window),
      framesPerSecond: told.frames.length / seconds,
    }
  }

  /** Each change made one revision: so the moment of each is known by its revision. */
  async end(): Promise<void> {
    const { load, closeSale } = this.#stage
    await load.ask('leaveMap', undefined)
    const { seats, sale } = this.hall
    this.#checks.push(
      check(`${seats} seats: changes that were refused`, 0, this.#changes.refused),
      check(`${seats} seats: revisions of the map`, this.#changes.made, await this.#revision()),
    )
    await closeSale(sale)
  }

  /** The last revision of the sale's units. */
  async #revision(): Promise<number> {
    return Number(await this.#stage.redis.hget(saleKeys(this.hall.sale).state, 'rev'))
  }

  #meters(serverPid: number, loadPid: number) {
    const { redis } = this.#stage.stores
    return {
      server: () => cpuMicrosOf(serverPid),
      load: () => cpuMicrosOf(loadPid),
      redis: () => cpuMicrosOf(redis?.pid ?? 0),
    }
  }

  /** What every viewer made of the deltas is what the server says of the same position. */
  async #checkPictures(name: string, told: MapTold): Promise<void> {
    const snapshot = await this.snapshot()
    const { different } = await this.#stage.load.ask('compareMaps', {
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
}
