import { setTimeout as wait } from 'node:timers/promises'
import { keepAliveFetch } from '../../../src/crowd/keep-alive-fetch.ts'
import type { World } from '../suite/world.ts'
import { admission, clientAt, openNow } from './api.ts'
import type { Figure } from './figure.ts'
import { writerKilledBefore } from './writer.ts'

const tries = { quiet: 8, killed: 3 }
const ttlSeconds = 2
/** While a process begins anew some are let in whom nobody measures. */
const people = 60
const lookEveryMs = 5
const patienceMs = 30_000

/** How long after the end of a purchase token the next in line is let in, where the gate takes one at a time. */
export async function tokenReturned(world: World): Promise<Figure[]> {
  const line = await IdleLine.form(world)
  const quiet: number[] = []
  while (quiet.length < tries.quiet) quiet.push(await line.lateMs())
  const killed: number[] = []
  while (killed.length < tries.killed) killed.push(await line.lateMs(writerKilledBefore(world, line.sale)))
  await line.close()
  const what = 'from the end of a token to the next person let in, where the gate takes one at a time'
  const beside = 'the same, where the writer is killed shortly before'
  return [
    { what, unit: 'ms', values: quiet, goal: { atMost: 1_000 } },
    { what: beside, unit: 'ms', values: killed, goal: { atMost: 4_000 } },
  ]
}

/** People who are let in one after another, and do nothing. */
class IdleLine {
  readonly sale: string
  readonly close: () => Promise<void>
  readonly #stays: { readonly inMs: number; readonly endMs: number }[] = []

  private constructor(sale: string, close: () => Promise<void>) {
    this.sale = sale
    this.close = close
  }

  static async form(world: World): Promise<IdleLine> {
    const { fetch, close } = keepAliveFetch({ connectionsMax: people + 5 })
    const organiser = clientAt(world, 0, fetch)
    const { id } = await organiser.createSale({
      kind: 'slots',
      title: 'In and out',
      currency: 'KRW',
      ...openNow(),
      queue: { ratePerMinute: 6_000, maxActive: 1, tokenTtlSeconds: ttlSeconds },
      slots: { dates: ['2030-01-01'], hours: ['10:00'], capacity: people, priceMinor: 0 },
    })
    const line = new IdleLine(id, async () => {
      await organiser.changeSale(id, { status: 'closed' })
      close()
    })
    for (let index = 0; index < people; index++) {
      const { accessToken } = await organiser.createGuest()
      const client = clientAt(world, index, fetch).withToken(accessToken)
      // Whoever is never let in hears that the sale is closed.
      void admission(client, id).then(
        ({ expiresAt }) => line.#stays.push({ inMs: Date.now(), endMs: Date.parse(expiresAt) }),
        () => undefined,
      )
    }
    return line
  }

  /** @param breakIt is told when the token will end, and answers how to mend what it has broken */
  async lateMs(breakIt?: (endMs: number) => Promise<() => Promise<void>>): Promise<number> {
    const at = this.#stays.length
    const { endMs } = await this.#stay(at)
    const mend = await breakIt?.(endMs)
    const { inMs } = await this.#stay(at + 1)
    await mend?.()
    return inMs - endMs
  }

  /** The stay of this number, as soon as there is one. */
  async #stay(number: number) {
    for (const untilMs = Date.now() + patienceMs; Date.now() < untilMs; await wait(lookEveryMs)) {
      const stay = this.#stays[number]
      if (stay !== undefined) return stay
    }
    throw new Error(`nobody is let in for ${patienceMs} ms`)
  }
}
