import { createHistogram, performance } from 'node:perf_hooks'
import { HttpConnection } from './http-connection.ts'

/** How a turn of load went. */
export interface Driven {
  readonly done: number
  readonly perSecond: number
  /** From the first request to the last answer. */
  readonly seconds: number
  /** Of one piece of work, in milliseconds. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers by status, such as `{'201': 4000}`. */
  readonly statuses: Readonly<Record<string, number>>
  /** Of the bodies, on average. */
  readonly bytesPerAnswer: number
}

/** A connection on which each answer is counted. */
export type Send = HttpConnection['send']

/**
 * Runs pieces of work on so many connections at once, each beginning the next when it is done with one, until the time
 * is up or none are left. What was begun is finished.
 */
export async function drive<Piece>(options: {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  readonly next: () => Piece | undefined
  readonly work: (send: Send, piece: Piece) => Promise<void>
}): Promise<Driven> {
  const { port, next, work } = options
  const connections = await Promise.all(
    Array.from({ length: options.connections }, () => HttpConnection.open(port)),
  )
  const histogram = createHistogram()
  const statuses = new Map<number, number>()
  let [answers, bytes] = [0, 0]
  const startMs = performance.now()
  const endMs = startMs + options.seconds * 1000
  const keepBusy = async (connection: HttpConnection): Promise<void> => {
    const send: Send = async (request) => {
      const answer = await connection.send(request)
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      answers += 1
      bytes += answer.bytes
      return answer
    }
    for (let beginMs = performance.now(); beginMs < endMs;) {
      const piece = next()
      if (piece === undefined) return
      await work(send, piece)
      const nowMs = performance.now()
      histogram.record(Math.max(1, Math.round((nowMs - beginMs) * 1000)))
      beginMs = nowMs
    }
  }
  await Promise.all(connections.map(keepBusy))
  const seconds = (performance.now() - startMs) / 1000
  for (const connection of connections) connection.close()
  return {
    done: histogram.count,
    perSecond: histogram.count / seconds,
    seconds,
    p50Ms: histogram.percentile(50) / 1000,
    p99Ms: histogram.percentile(99) / 1000,
    statuses: Object.fromEntries(statuses),
    bytesPerAnswer: bytes / Math.max(1, answers),
  }
}

/** Gives each of some pieces once. */
export function eachOf<Piece>(pieces: readonly Piece[]): () => Piece | undefined {
  let at = 0
  return () => pieces[at++]
}
