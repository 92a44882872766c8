import { monotonicMicros } from '../measure/monotonic-clock.ts'
import { drive, type Send } from './drive.ts'
import { makeGuests, type Guest } from './guests.ts'
import { requestText, type HttpAnswer } from './http-connection.ts'
import { joinSales } from './join-load.ts'
import type { PoolLoadCalls, Taken } from './pool-calls.ts'
import { purchaseTokensOf } from './purchase-tokens.ts'

/** A crowd that takes the places of pools, and knows in the end which it was given. */
export class PoolLoad {
  #guests: readonly Guest[] = []
  /** For each guest its request in the sale entered last, as far as the unit. */
  #heads: readonly string[] = []

  async guests(asked: PoolLoadCalls['guests']['asked']): Promise<{ made: number }> {
    this.#guests = await makeGuests(asked)
    return { made: this.#guests.length }
  }

  async enter(asked: PoolLoadCalls['enter']['asked']): Promise<{ admitted: number }> {
    const { sale } = asked
    await joinSales(this.#guests, { ...asked, sales: [sale], seconds: 300 })
    const tokens = await purchaseTokensOf(this.#guests, asked)
    this.#heads = this.#guests.map((guest) => headOf(sale, guest, tokens.get(guest) ?? ''))
    return { admitted: tokens.size }
  }

  async book({ units, ...asked }: PoolLoadCalls['book']['asked']): Promise<Taken> {
    const bodies = units.map(bodyOf)
    if (bodies.some(({ length }) => length !== bodyOf(exampleUnit).length))
      throw new Error('the requests were made ready for units with codes of another length')
    const heads = this.#heads
    return await take({
      ...asked,
      requestOf: (nth) => `${heads[nth % heads.length]}${bodies[nth % bodies.length]}`,
      givenIn: (answer) => {
        if (answer.status !== 201) return undefined
        const text = answer.body()
        return text.includes('"status":"booked"') ? /"id":"(bkg_\w+)"/.exec(text)?.[1] : undefined
      },
    })
  }

  async draw({ pools, ...asked }: PoolLoadCalls['draw']['asked']): Promise<Taken> {
    return await take({
      ...asked,
      requestOf: (nth) =>
        requestText(
          `POST /pools/${pools[nth % pools.length]}/coupons`,
          { 'X-Account': `a${nth}` },
          undefined,
        ),
      givenIn: (answer) => {
        if (answer.status !== 201) return undefined
        const { pool, no } = JSON.parse(answer.body()) as { pool: number; no: number }
        return `${pool}:${no}`
      },
    })
  }
}

const exampleUnit = '2030-01-01T10:00'

function bodyOf(unit: string): string {
  return JSON.stringify({ units: [{ unit }] })
}

function headOf(sale: string, { accessToken }: Guest, purchaseToken: string): string {
  const headers = { Authorization: `Bearer ${accessToken}`, 'Purchase-Token': purchaseToken }
  const body = bodyOf(exampleUnit)
  return requestText(`POST /api/v1/sales/${sale}/bookings`, headers, body).slice(0, -body.length)
}

async function take(options: {
  readonly port: number
  readonly connections: number
  readonly count: number
  readonly requestOf: (nth: number) => string
  /** The place that was given, if one was. */
  readonly givenIn: (answer: HttpAnswer) => string | undefined
}): Promise<Taken> {
  const { count, requestOf, givenIn } = options
  const given: string[] = []
  const refused: Record<string, number> = {}
  let [asked, unanswered, firstAskedMicros, lastGivenMicros] = [0, 0, 0, 0]
  const ask = async (send: Send, request: string): Promise<void> => {
    const answer = await send(request)
    const place = givenIn(answer)
    if (place === undefined) {
      const code = codeIn(answer)
      refused[code] = (refused[code] ?? 0) + 1
      return
    }
    given.push(place)
    lastGivenMicros = monotonicMicros()
  }
  const { p50Ms, p99Ms } = await drive({
    ...options,
    seconds: 300,
    next: () => {
      // A server that is gone is asked no more.
      if (asked >= count || unanswered > 0) return undefined
      if (asked === 0) firstAskedMicros = monotonicMicros()
      return requestOf(asked++)
    },
    work: (send, request) =>
      ask(send, request).catch(() => {
        unanswered += 1
      }),
  })
  return { given, refused, unanswered, firstAskedMicros, lastGivenMicros, p50Ms, p99Ms }
}

function codeIn(answer: HttpAnswer): string {
  return /"code":"(\w+)"/.exec(answer.body())?.[1] ?? `status ${answer.status}`
}
