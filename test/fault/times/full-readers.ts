import type { Server } from '../suite/server.ts'
import type { World } from '../suite/world.ts'
import { ownPortOf } from './api.ts'
import { found } from './patience.ts'
import { liveConnections, StuckConnections } from './stuck-readers.ts'
import { tellAndWait, tellerOf } from './teller.ts'

/** Of a frame that fills: a quarter of what an edge keeps for a client. */
const seats = 1_500
const framesMax = 1_000
/** So many frames before they are closed the edge already keeps some for each, and has room for small ones. */
const framesLeft = 3
/** After so many more all are closed that were full. */
const framesOver = framesLeft + 2

/**
 * People who never read, told so much that their edge keeps what it could not send, and not so much that it closes them.
 * All over event streams: of those the kernel takes the same of each and each time, of WebSockets more of one than of another.
 */
export class FullReaders {
  readonly #world: World
  readonly #edge: Server
  readonly #sale: string
  readonly #count: number
  #framesUntilClosed = framesMax

  private constructor(world: World, edge: Server, options: { sale: string; count: number }) {
    this.#world = world
    this.#edge = edge
    this.#sale = options.sale
    this.#count = options.count
  }

  /** Resolves when it is known how much the kernel takes. */
  static async measured(world: World, options: { sale: string; count: number }): Promise<FullReaders> {
    const [edge] = world.edges
    if (edge === undefined) throw new Error('there is no edge')
    const readers = new FullReaders(world, edge, options)
    const others = await liveConnections(edge)
    const stuck = await readers.#open()
    readers.#framesUntilClosed = await readers.#tellUntilClosed()
    stuck.close()
    await readers.#haveLeft(others)
    return readers
  }

  /** Does something beside them. Resolves with undefined where one was closed meanwhile, or was not full. */
  async during<T>(work: () => Promise<T>): Promise<T | undefined> {
    const others = await liveConnections(this.#edge)
    const stuck = await this.#open()
    await this.#tell(this.#framesUntilClosed - framesLeft)
    const result = await work()
    const left = (await liveConnections(this.#edge)) - others
    await this.#tell(framesOver)
    const unfilled = (await liveConnections(this.#edge)) - others
    stuck.close()
    await this.#haveLeft(others)
    if (left === this.#count && unfilled === 0) return result
    this.#world.log(`${this.#count - left} were closed, ${unfilled} not full: the turn does not count`)
    return undefined
  }

  #open(): Promise<StuckConnections> {
    const port = ownPortOf(this.#edge)
    return StuckConnections.open({ port, sale: this.#sale, count: this.#count, allStreams: true })
  }

  async #haveLeft(others: number): Promise<void> {
    await found('they are gone', async () => (await liveConnections(this.#edge)) <= others || undefined)
  }

  async #tell(frames: number): Promise<void> {
    const tell = await tellerOf(this.#world, { sale: this.#sale, seats })
    for (let frame = 0; frame < frames; frame++) await tellAndWait(tell)
  }

  async #tellUntilClosed(): Promise<number> {
    const tell = await tellerOf(this.#world, { sale: this.#sale, seats })
    const before = await liveConnections(this.#edge)
    for (let frame = 1; frame <= framesMax; frame++) {
      await tellAndWait(tell)
      if ((await liveConnections(this.#edge)) < before) return frame
    }
    throw new Error('those who do not read are told without an end')
  }
}
