import { setTimeout as wait } from 'node:timers/promises'
import type { Subscription } from 'rxjs'
import { keepAliveFetch } from '../../../src/crowd/keep-alive-fetch.ts'
import type { World } from '../suite/world.ts'
import { clientAt, openNow, single } from './api.ts'

/** People in the line, and so many let in a minute: one every twentieth of a second. */
const people = 300
const ratePerMinute = 1_200
/** Joining at once. */
const portion = 25
const lookEveryMs = 20
const patienceMs = 30_000

/** People who wait at all edges, over event streams, while one after another is let in. */
export class WaitingLine {
  readonly sale: string
  readonly #world: World
  readonly #told: number[] = []
  readonly #waiting: Subscription[] = []
  readonly #end: () => Promise<void>

  private constructor(world: World, sale: string, end: () => Promise<void>) {
    this.#world = world
    this.sale = sale
    this.#end = end
  }

  /** Resolves when somebody was let in. */
  static async form(world: World): Promise<WaitingLine> {
    const { fetch, close } = keepAliveFetch({ connectionsMax: 50 })
    const organiser = clientAt(world, 0, fetch)
    const { id } = await organiser.createSale({
      kind: 'slots',
      title: 'A line',
      currency: 'KRW',
      ...openNow(),
      queue: { ratePerMinute, maxActive: 10_000, tokenTtlSeconds: 3_600 },
      slots: { dates: ['2030-01-01'], hours: ['10:00'], capacity: 10_000, priceMinor: 0 },
    })
    const line = new WaitingLine(world, id, async () => {
      await organiser.changeSale(id, { status: 'closed' })
      close()
    })
    for (let from = 0; from < people; from += portion)
      await Promise.all(
        Array.from({ length: portion }, async (_, index) => {
          const { accessToken } = await organiser.createGuest()
          const client = clientAt(world, index, fetch).withToken(accessToken)
          const { ticket } = await client.joinQueue(id)
          line.#waiting.push(
            client.waitInLine({ sale: id, transport: 'sse', ticket }).subscribe({
              next: ({ type }) => void (type === 'admitted' && line.#told.push(performance.now())),
              error: () => undefined,
            }),
          )
        }),
      )
    await line.#admittedAfter(performance.now())
    return line
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
    while ((await this.#lifeOf(life)) === before) await this.#pause(fromMs)
    await this.#admittedAfter(performance.now())
    const told = [fromMs, ...this.#told.filter((ms) => ms > fromMs)]
    const silences = told.slice(1).map((ms, index) => ({ endMs: ms, lastedMs: ms - (told[index] ?? 0) }))
    const longest = silences.toSorted((a, b) => b.lastedMs - a.lastedMs)[0]
    return (longest?.endMs ?? Number.NaN) - fromMs
  }

  async close(): Promise<void> {
    for (const one of this.#waiting) one.unsubscribe()
    await this.#end()
  }

  async #lifeOf(life: 'fence' | 'epoch'): Promise<number> {
    const { sql } = this.#world
    return single(
      await sql<{ value: number }[]>`
        select ${sql(life)}::int as value from sale_writers where sale_id = ${this.sale}`,
    )
  }

  async #admittedAfter(fromMs: number): Promise<void> {
    while (!this.#told.some((ms) => ms > fromMs)) await this.#pause(fromMs)
  }

  async #pause(sinceMs: number): Promise<void> {
    if (performance.now() - sinceMs > patienceMs) throw new Error(`nobody is let in for ${patienceMs} ms`)
    await wait(lookEveryMs)
  }
}
