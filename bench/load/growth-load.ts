import { createHistogram } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { monotonicMicros } from '../measure/monotonic-clock.ts'
import { arrive, ConnectionPool } from './arrivals.ts'
import { drive, eachOf, type Driven, type Send } from './drive.ts'
import type { GrowthCalls, Spread } from './growth-calls.ts'
import type { Guest } from './guests.ts'
import { requestText } from './http-connection.ts'

/** Connections opened before seats are held. */
const idleConnections = 16

interface Visitor {
  readonly guest: Guest
  readonly sale: string
}

/** Guest k of a crowd goes by sale k, modulo how many sales there are. */
export class GrowthLoad {
  readonly #guests: () => readonly Guest[]
  #purchaseTokens = new Map<Guest, string>()

  constructor(guests: () => readonly Guest[]) {
    this.#guests = guests
  }

  /** The servers take from one list, so none has an end of its own. */
  async join({ targets, rounds, count }: GrowthCalls['join']['asked']): Promise<Spread> {
    const rests = this.#first(count).map((guest) => requestText('', bearer(guest), '{}'))
    const requests = rounds.flatMap((sales) =>
      rests.map((rest, k) => `POST /api/v1/sales/${sales[k % sales.length]}/queue${rest}`),
    )
    const next = eachOf(requests)
    const work = async (send: Send, request: string): Promise<void> => void (await send(request))
    const driven = await Promise.all(targets.map((target) => drive({ ...target, seconds: 300, next, work })))
    return spreadOver(driven)
  }

  async tokens({ sales, count, ...target }: GrowthCalls['tokens']['asked']): Promise<{ admitted: number }> {
    this.#purchaseTokens = new Map()
    const visitors = visitorsOf(this.#first(count), sales)
    for (let left = visitors; left.length > 0; await wait(left.length > 0 ? 50 : 0)) {
      await drive<Visitor>({
        ...target,
        seconds: 300,
        next: eachOf(left),
        work: async (send, { guest, sale }) => {
          const answer = await send(
            requestText(`GET /api/v1/sales/${sale}/queue/me`, bearer(guest), undefined),
          )
          const token = /"purchaseToken":"([^"]+)"/.exec(answer.body())?.[1]
          if (token !== undefined) this.#purchaseTokens.set(guest, token)
        },
      })
      left = left.filter(({ guest }) => !this.#purchaseTokens.has(guest))
    }
    return { admitted: this.#purchaseTokens.size }
  }

  async buy(asked: GrowthCalls['buy']['asked']): Promise<Driven & { booked: number }> {
    const { sales, count, unit } = asked
    let booked = 0
    const driven = await drive<Visitor>({
      ...asked,
      seconds: 300,
      next: eachOf(visitorsOf(this.#first(count), sales)),
      work: async (send, { guest, sale }) => {
        const held = await send(this.#holdRequest(guest, { sale, unit }))
        const hold = /"id":"(hol_\w+)"/.exec(held.body())?.[1]
        if (hold === undefined) return
        const answer = await send(requestText('POST /api/v1/orders', bearer(guest), JSON.stringify({ hold })))
        if (answer.status === 201 && answer.body().includes('"status":"booked"')) booked++
      },
    })
    return { ...driven, booked }
  }

  async hold({
    port,
    sale,
    seats,
    perSecond,
  }: GrowthCalls['hold']['asked']): Promise<GrowthCalls['hold']['answer']> {
    const buyers = [...this.#purchaseTokens.keys()]
    const pool = new ConnectionPool(port)
    await pool.warm(idleConnections)
    const histogram = createHistogram()
    let held = 0
    const { lateP99Ms } = await arrive({ count: seats.length, perSecond }, async (k) => {
      const guest = buyers[k % buyers.length]
      if (guest === undefined) return
      const beganMicros = monotonicMicros()
      const answer = await pool.send(this.#holdRequest(guest, { sale, unit: seats[k] ?? '' }))
      histogram.record(Math.max(1, Math.round(monotonicMicros() - beganMicros)))
      if (answer.status === 201) held++
    })
    pool.close()
    return { held, lateP99Ms, p50Ms: histogram.percentile(50) / 1000, p99Ms: histogram.percentile(99) / 1000 }
  }

  async snapshots({ port, sale, times }: GrowthCalls['snapshots']['asked']): Promise<Driven> {
    const request = requestText(`GET /api/v1/sales/${sale}/availability`, {}, undefined)
    return await drive<string>({
      port,
      connections: 1,
      seconds: 300,
      next: eachOf(Array.from({ length: times }, () => request)),
      work: async (send, text) => void (await send(text)),
    })
  }

  #first(count: number): readonly Guest[] {
    return this.#guests().slice(0, count)
  }

  #holdRequest(guest: Guest, { sale, unit }: { sale: string; unit: string }): string {
    const headers = { ...bearer(guest), 'Purchase-Token': this.#purchaseTokens.get(guest) ?? '' }
    return requestText(`POST /api/v1/sales/${sale}/holds`, headers, JSON.stringify({ units: [{ unit }] }))
  }
}

function visitorsOf(guests: readonly Guest[], sales: readonly string[]): Visitor[] {
  return guests.map((guest, k) => ({ guest, sale: sales[k % sales.length] ?? '' }))
}

function spreadOver(driven: readonly Driven[]): Spread {
  const done = driven.reduce((sum, one) => sum + one.done, 0)
  const statuses: Record<string, number> = {}
  for (const one of driven)
    for (const [status, count] of Object.entries(one.statuses))
      statuses[status] = (statuses[status] ?? 0) + count
  return {
    done,
    perSecond: done / Math.max(...driven.map(({ seconds }) => seconds)),
    p50Ms: Math.max(...driven.map(({ p50Ms }) => p50Ms)),
    p99Ms: Math.max(...driven.map(({ p99Ms }) => p99Ms)),
    statuses,
  }
}

function bearer({ accessToken }: Guest): Record<string, string> {
  return { Authorization: `Bearer ${accessToken}` }
}
