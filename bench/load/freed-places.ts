import { createHistogram } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { monotonicMicros } from '../measure/monotonic-clock.ts'
import { arrive, ConnectionPool } from './arrivals.ts'
import type { Freed, FreedHeard, FreedPlacesCalls } from './freed-places-calls.ts'
import type { Guest } from './guests.ts'
import { requestText } from './http-connection.ts'
import type { LiveClient } from './live-client.ts'
import { openAll, type Opening } from './open-all.ts'
import { SocketClient } from './socket-client.ts'

/** How long the last tokens of a turn are waited for. */
const patienceMs = 10_000
/** Connections opened before places are given back. */
const idleConnections = 16

/**
 * A line that waits for room alone: whoever is in gives the place back, and the next one is let in for it. Both happen in
 * the order of the line, so the k-th place given back is that of the k-th of the line, and goes to whoever stood as far
 * behind as there are places.
 */
export class FreedPlaces {
  readonly #guests: () => readonly Guest[]
  #line: readonly Guest[] = []
  #clients: readonly LiveClient[] = []
  /** By place in the line; NaN while there is no token. */
  #tokenAtMicros: number[] = []
  #freedAtMicros: number[] = []
  /** How many were in before the first place was given back. */
  #places = 0
  readonly #heard = { admittedTwice: 0, empty: 0, cutOff: 0 }

  constructor(guests: () => readonly Guest[]) {
    this.#guests = guests
  }

  async listen({ port, sale, order }: FreedPlacesCalls['listen']['asked']): Promise<{ opened: number }> {
    const known = new Map(this.#guests().map((guest) => [guest.id, guest]))
    this.#line = order.flatMap((id) => known.get(id) ?? [])
    this.#tokenAtMicros = this.#line.map(() => Number.NaN)
    this.#clients = await openAll(this.#line.length, (index, opening) => {
      const target = { port, index, accessToken: this.#line[index]?.accessToken, channel: `queue:${sale}` }
      const client: LiveClient = new SocketClient(
        target,
        this.#listener(index, opening, () => client),
      )
      return client
    })
    return { opened: this.#clients.length }
  }

  async insideAre({ count, seconds }: { count: number; seconds: number }): Promise<{ inside: number }> {
    for (const endMs = Date.now() + seconds * 1000; this.#admitted() < count && Date.now() < endMs;)
      await wait(20)
    this.#places = this.#admitted()
    return { inside: this.#places }
  }

  async free({ port, sale, perSecond, count }: FreedPlacesCalls['free']['asked']): Promise<Freed> {
    const pool = new ConnectionPool(port)
    await pool.warm(idleConnections)
    const answers = createHistogram()
    const first = this.#freedAtMicros.length
    let [freed, notInside] = [0, 0]
    const arrived = await arrive({ count, perSecond }, async (k) => {
      const guest = this.#line[first + k]
      if (Number.isNaN(this.#tokenAtMicros[first + k])) notInside++
      const headers = { Authorization: `Bearer ${guest?.accessToken}` }
      const beganMicros = monotonicMicros()
      this.#freedAtMicros[first + k] = beganMicros
      const answer = await pool.send(requestText(`DELETE /api/v1/sales/${sale}/queue/me`, headers, undefined))
      answers.record(Math.max(1, Math.round(monotonicMicros() - beganMicros)))
      if (answer.status === 204) freed++
    })
    await this.#untilTokens(first + count)
    pool.close()
    const { lateP99Ms } = arrived
    const answerP99Ms = answers.percentile(99) / 1000
    return { freed, notInside, lateP99Ms, answerP99Ms, ...this.#latencies(first, count) }
  }

  heard(): FreedHeard {
    const last = this.#tokenAtMicros.findLastIndex((atMicros) => !Number.isNaN(atMicros))
    const passedOver = this.#tokenAtMicros.slice(0, last + 1).filter(Number.isNaN).length
    return { ...this.#heard, admitted: this.#admitted(), passedOver }
  }

  leave(): void {
    for (const client of this.#clients) client.close()
    this.#clients = []
  }

  #latencies(first: number, count: number): Pick<Freed, 'p50Ms' | 'p99Ms' | 'mostMs' | 'missing'> {
    const histogram = createHistogram()
    for (let k = first; k < first + count; k++) {
      const micros = (this.#tokenAtMicros[k + this.#places] ?? Number.NaN) - (this.#freedAtMicros[k] ?? 0)
      if (!Number.isNaN(micros)) histogram.record(Math.max(1, Math.round(micros)))
    }
    return {
      p50Ms: histogram.percentile(50) / 1000,
      p99Ms: histogram.percentile(99) / 1000,
      mostMs: histogram.max / 1000,
      missing: count - histogram.count,
    }
  }

  #listener(index: number, opening: Opening, clientOf: () => LiveClient) {
    return {
      onEvent: (bytes: Buffer): void => {
        const { type, data } = clientOf().decode(bytes)
        if (type === 'admitted') this.#letIn(index, (data as { purchaseToken: string }).purchaseToken)
        opening.heard()
      },
      onEnd: (reason: string): void => {
        this.#heard.cutOff++
        opening.failed(reason)
      },
    }
  }

  #letIn(index: number, purchaseToken: string): void {
    if (!Number.isNaN(this.#tokenAtMicros[index])) this.#heard.admittedTwice++
    if (purchaseToken === '') this.#heard.empty++
    this.#tokenAtMicros[index] = monotonicMicros()
  }

  #admitted(): number {
    return this.#tokenAtMicros.filter((atMicros) => !Number.isNaN(atMicros)).length
  }

  async #untilTokens(freed: number): Promise<void> {
    for (const endMs = Date.now() + patienceMs; Date.now() < endMs; await wait(20))
      if (this.#admitted() >= freed + this.#places) return
  }
}
