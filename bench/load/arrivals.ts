import { setTimeout as wait } from 'node:timers/promises'
import { createHistogram } from 'node:perf_hooks'
import { monotonicMicros } from '../measure/monotonic-clock.ts'
import { HttpConnection, type HttpAnswer } from './http-connection.ts'

/** How pieces of work that began at fixed times went. */
export interface Arrived {
  readonly begun: number
  /** How much later than they should have they began. */
  readonly lateP99Ms: number
}

/**
 * Begins pieces of work at a fixed rate, however long those before them take, so that a slow server is not asked less
 * often. Resolves when all are done; rejects with the first error.
 */
export async function arrive(
  { count, perSecond }: { readonly count: number; readonly perSecond: number },
  begin: (k: number) => Promise<void>,
): Promise<Arrived> {
  const late = createHistogram()
  const underWay: Promise<void>[] = []
  const startMicros = monotonicMicros()
  while (underWay.length < count) {
    const dueMicros = startMicros + (underWay.length / perSecond) * 1e6
    const inMs = (dueMicros - monotonicMicros()) / 1000
    if (inMs > 0) await wait(Math.ceil(inMs))
    late.record(Math.max(1, Math.round(monotonicMicros() - dueMicros)))
    underWay.push(begin(underWay.length))
  }
  await Promise.all(underWay)
  return { begun: underWay.length, lateP99Ms: late.percentile(99) / 1000 }
}

/** Connections kept open; a request takes one that is idle, or a new one. */
export class ConnectionPool {
  readonly #port: number
  readonly #idle: HttpConnection[] = []

  constructor(port: number) {
    this.#port = port
  }

  /** Opens connections beforehand, so that the first requests do not wait for them. */
  async warm(count: number): Promise<void> {
    for (let opened = 0; opened < count; opened++) this.#idle.push(await HttpConnection.open(this.#port))
  }

  async send(request: string): Promise<HttpAnswer> {
    const connection = this.#idle.pop() ?? (await HttpConnection.open(this.#port))
    const answer = await connection.send(request)
    this.#idle.push(connection)
    return answer
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close()
  }
}
