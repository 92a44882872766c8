import { setTimeout as wait } from 'node:timers/promises'
import { createHistogram } from 'node:perf_hooks'
import type { Guest } from './guests.ts'
import { judgeLine } from './line-judge.ts'
import type { LiveClient } from './live-client.ts'
import type { LineHeard, LoadCalls } from './load-calls.ts'
import { openAll, type Opening } from './open-all.ts'
import { SocketClient } from './socket-client.ts'
import { StreamClient } from './stream-client.ts'

/** Tellings kept; a run of many minutes may end with fewer than there were, and says so. */
const tellingsMax = 8_000_000

/** Everybody who stands in a line, each on a connection of its own: what they are told, and when. */
export class LineCrowd {
  readonly #guests: () => readonly Guest[]
  #clients: LiveClient[] = []
  #tellings = { waiters: [] as number[], positions: [] as number[], atMs: [] as number[] }
  #admittedAtMs: number[] = []
  #heardAtMs: number[] = []
  #heard = noneHeard()

  constructor(guests: () => readonly Guest[]) {
    this.#guests = guests
  }

  /** Whoever listened before goes on listening, and is no longer noted well: their places are those of another order. */
  async open({ port, sale, order, streams }: LoadCalls['waitInLine']['asked']): Promise<{ opened: number }> {
    const tokens = new Map(this.#guests().map(({ id, accessToken }) => [id, accessToken]))
    this.#tellings = { waiters: [], positions: [], atMs: [] }
    this.#admittedAtMs = order.map(() => Number.NaN)
    this.#heardAtMs = order.map(() => Number.NaN)
    this.#heard = noneHeard()
    const opened = await openAll(order.length, (index, opening) => {
      const target = { port, index, accessToken: tokens.get(order[index] ?? '') }
      const listener = this.#listener(index, opening, () => client)
      // Both sorts stand everywhere in the line, to the tenth.
      const isStream = index % 10 < streams * 10
      const client: LiveClient = isStream
        ? new StreamClient({ ...target, path: `/api/v1/sales/${sale}/queue/stream` }, listener)
        : new SocketClient({ ...target, channel: `queue:${sale}` }, listener)
      return client
    })
    this.#clients.push(...opened)
    return { opened: opened.length }
  }

  judge(asked: LoadCalls['judgeLine']['asked']): LoadCalls['judgeLine']['answer'] {
    const { fromMs, toMs } = asked
    const judgement = judgeLine({
      ...asked,
      tellings: this.#tellings,
      admittedAtMs: this.#admittedAtMs,
      heardAtMs: this.#heardAtMs,
    })
    const delays = createHistogram()
    this.#heardAtMs.forEach((heardMs, waiter) => {
      if (heardMs < fromMs || heardMs > toMs || Number.isNaN(heardMs)) return
      delays.record(Math.max(1, heardMs - (this.#admittedAtMs[waiter] ?? 0)))
    })
    const admitted = { count: delays.count, p50Ms: delays.percentile(50), p99Ms: delays.percentile(99) }
    return { ...judgement, admitted }
  }

  /** Resolves when everybody has been let in, or when the patience is over. */
  async untilAdmitted({ seconds }: { seconds: number }): Promise<LineHeard> {
    const endMs = Date.now() + seconds * 1000
    while (this.#heardAtMs.some(Number.isNaN) && Date.now() < endMs) await wait(100)
    return {
      ...this.#heard,
      admitted: this.#admittedAtMs.filter((atMs) => !Number.isNaN(atMs)).length,
      overtaken: overtakenIn(this.#admittedAtMs),
    }
  }

  close(): void {
    for (const client of this.#clients) client.close()
    this.#clients = []
  }

  #listener(waiter: number, opening: Opening, clientOf: () => LiveClient) {
    return {
      onEvent: (bytes: Buffer): void => {
        const { type, data } = clientOf().decode(bytes)
        if (type === 'position') this.#told(waiter, (data as { position: number }).position)
        else if (type === 'admitted') this.#letIn(waiter, (data as { admittedAt: string }).admittedAt)
        else this.#heard.others[type] = (this.#heard.others[type] ?? 0) + 1
        opening.heard()
      },
      onEnd: (reason: string): void => {
        this.#heard.cutOff++
        opening.failed(reason)
      },
    }
  }

  #told(waiter: number, position: number): void {
    const { waiters, positions, atMs } = this.#tellings
    if (!Number.isNaN(this.#heardAtMs[waiter])) this.#heard.toldAfterAdmission++
    if (waiters.length >= tellingsMax) return void this.#heard.notKept++
    waiters.push(waiter)
    positions.push(position)
    atMs.push(Date.now())
  }

  #letIn(waiter: number, admittedAt: string): void {
    if (!Number.isNaN(this.#heardAtMs[waiter])) this.#heard.admittedTwice++
    this.#admittedAtMs[waiter] = Date.parse(admittedAt)
    this.#heardAtMs[waiter] = Date.now()
  }
}

/** How many were let in later than somebody behind them. */
function overtakenIn(admittedAtMs: readonly number[]): number {
  let [overtaken, earliestBehindMs] = [0, Infinity]
  for (const atMs of admittedAtMs.toReversed()) {
    // Whoever is not in yet will be later than everybody who is.
    const inAtMs = Number.isNaN(atMs) ? Infinity : atMs
    if (inAtMs > earliestBehindMs) overtaken++
    else earliestBehindMs = inAtMs
  }
  return overtaken
}

function noneHeard() {
  const others: Record<string, number> = {}
  return { others, cutOff: 0, admittedTwice: 0, toldAfterAdmission: 0, notKept: 0 }
}
