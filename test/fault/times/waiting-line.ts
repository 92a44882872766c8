import type { World } from '../suite/world.ts'
import { single } from './api.ts'
import { OpenSlots } from './open-slots.ts'
import { found } from './patience.ts'

/** People in the line, and so many let in a minute: one every twentieth of a second. */
const people = 300
const ratePerMinute = 1_200
/** Joining at once. */
const portion = 25

/** People who wait at all edges, over event streams, while one after another is let in. */
export class WaitingLine {
  readonly #world: World
  readonly #slots: OpenSlots
  readonly #told: number[] = []

  private constructor(world: World, slots: OpenSlots) {
    this.#world = world
    this.#slots = slots
  }

  /** Resolves when somebody was let in. */
  static async form(world: World): Promise<WaitingLine> {
    const slots = await OpenSlots.open(world, {
      title: 'A line',
      queue: { ratePerMinute, maxActive: 10_000, tokenTtlSeconds: 3_600 },
      connections: 50,
    })
    const line = new WaitingLine(world, slots)
    const joins = (_: unknown, index: number) =>
      slots.join(index, 'sse', ({ type }) => void (type === 'admitted' && line.#told.push(performance.now())))
    for (let from = 0; from < people; from += portion)
      await Promise.all(Array.from({ length: portion }, joins))
    await line.#admittedAfter(performance.now())
    return line
  }

  get sale(): string {
    return this.#slots.id
  }

  /**
   * Breaks something, and resolves with the ms until people are let in again by a later life of the sale: the end of
   * the longest silence.
   * @param life the number in `sale_writers` that says so
   */
  async silenceAfter(life: 'fence' | 'epoch', breakIt: () => Promise<void>): Promise<number> {
    const before = await this.#lifeOf(life)
    const fromMs = performance.now()
    await breakIt()
    await found('a later life of the sale', async () => (await this.#lifeOf(life)) !== before || undefined)
    await this.#admittedAfter(performance.now())
    const told = [fromMs, ...this.#told.filter((ms) => ms > fromMs)]
    const silences = told.slice(1).map((ms, index) => ({ endMs: ms, lastedMs: ms - (told[index] ?? 0) }))
    const longest = silences.toSorted((a, b) => b.lastedMs - a.lastedMs)[0]
    return (longest?.endMs ?? Number.NaN) - fromMs
  }

  async close(): Promise<void> {
    await this.#slots.close()
  }

  async #lifeOf(life: 'fence' | 'epoch'): Promise<number> {
    const { sql } = this.#world
    return single(
      await sql<{ value: number }[]>`
        select ${sql(life)}::int as value from sale_writers where sale_id = ${this.sale}`,
    )
  }

  async #admittedAfter(fromMs: number): Promise<void> {
    await found('somebody is let in', () => this.#told.find((ms) => ms > fromMs))
  }
}
