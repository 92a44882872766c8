import type { AvailabilitySnapshot } from '../../src/domain/units/unit-messages.ts'
import { cpuMicrosOf } from '../measure/cpu-time.ts'
import { HelperProcess } from '../stage/helper-process.ts'
import type { BarePublishCalls } from '../limits/bare-publish-calls.ts'
import type { LoadCalls, MapTold } from '../load/load-calls.ts'
import type { OurTurn } from './map-turns.ts'
import { startPeer } from '../stage/peer-programs.ts'
import { check, metered, shares, type Check, type Turn } from '../measure/turn.ts'

/** How long the last viewer may take to learn of the last change. */
export const patienceSeconds = 20

const programs = {
  'bare publishing': {
    start: () => new HelperProcess<BarePublishCalls>(new URL('../limits/bare-publish.ts', import.meta.url)),
    over: 'sockets',
  },
  ws: { start: () => startPeer<BarePublishCalls>('ws-publish.ts'), over: 'sockets' },
  'Socket.IO': { start: () => startPeer<BarePublishCalls>('socket-io-publish.ts'), over: 'socket.io' },
} as const

export type PublisherName = keyof typeof programs

export interface Hall {
  readonly sale: string
  readonly seats: number
  readonly viewers: number
}

export interface TheirTurn {
  readonly turn: Turn
  readonly told: MapTold
}

/** A program that tells a crowd the bytes of a turn of ours once more, and the crowd that listens to it. */
export class Publisher {
  readonly name: PublisherName
  readonly #program: HelperProcess<BarePublishCalls>
  /** A process of its own: one could not have the sockets of two crowds open. */
  readonly #crowd: HelperProcess<LoadCalls>
  #hall: Hall | undefined
  #port: number | undefined

  constructor(name: PublisherName) {
    this.name = name
    this.#program = programs[name].start()
    this.#crowd = new HelperProcess(new URL('../load/load-program.ts', import.meta.url))
  }

  /** Everybody of a hall comes here; who was here before leaves. */
  async gather(hall: Hall, snapshot: AvailabilitySnapshot): Promise<void> {
    if (this.#hall !== undefined) await this.#crowd.ask('leaveMap', undefined)
    this.#hall = hall
    this.#port ??= (await this.#program.ask('listen', undefined)).port
    await this.#program.ask('tell', { text: snapshotText(hall.sale, snapshot) })
    await this.#crowd.ask('watchMap', { ...hall, port: this.#port, over: programs[this.name].over })
  }

  /** The frames of a turn of ours, told once more at the same times. */
  async play(name: string, { told: { frames }, before }: OurTurn, checks: Check[]): Promise<TheirTurn> {
    const [first, last] = [frames[0], frames.at(-1)]
    if (first === undefined || last === undefined || this.#hall === undefined)
      throw new Error('nothing was told')
    const { sale, viewers } = this.#hall
    await this.#program.ask('tell', { text: snapshotText(sale, before) })
    await this.#crowd.ask('mapReached', { position: positionOf(before), seconds: patienceSeconds })
    await this.#crowd.ask('beginMap', undefined)
    const play = frames.map(({ text, atMicros }) => ({ text, afterMicros: atMicros - first.atMicros }))
    const { result: atMicros, usedMicros } = await metered(this.#meters(), async () => {
      const played = await this.#program.ask('play', { frames: play })
      await this.#crowd.ask('mapReached', { position: last.id, seconds: patienceSeconds })
      return played.atMicros
    })
    // What is ready happened when it was published.
    const stamps = frames.flatMap(({ prev, seq }, index) =>
      Array.from({ length: seq - prev }, () => atMicros[index] ?? Number.NaN),
    )
    const told = await this.#crowd.ask('mapTold', { firstSeq: first.prev + 1, stamps })
    checks.push(
      check(`${name}: frames told`, frames.length * viewers, told.receipts),
      check(`${name}: deltas that did not follow`, 0, told.gaps),
      check(`${name}: connections cut off`, 0, told.cutOff),
    )
    const seconds = Math.max(1, last.atMicros - first.atMicros) / 1e6
    const cpuMicros = shares(usedMicros, told.receipts)
    return { turn: { perSecond: told.receipts / seconds, ...told.each, cpuMicros }, told }
  }

  async stop(): Promise<void> {
    await this.#crowd.stop()
    await this.#program.stop()
  }

  #meters() {
    return {
      server: () => cpuMicrosOf(this.#program.pid),
      load: () => cpuMicrosOf(this.#crowd.pid),
    }
  }
}

export function positionOf({ epoch, seq }: AvailabilitySnapshot): string {
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
