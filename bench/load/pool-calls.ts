/** What the crowd that takes places of pools can be asked. */
export type PoolLoadCalls = {
  /** Makes guests of our server, by the organiser's leave. */
  guests: { asked: Target & { count: number; organiserKey: string }; answer: { made: number } }
  /** All guests join the line of a sale, and wait until they are let in. */
  enter: { asked: Target & { sale: string }; answer: { admitted: number } }
  /** Guests in turn book a place each at our server, the units in turn too, so many times in all. */
  book: { asked: Target & { units: readonly string[]; count: number }; answer: Taken }
  /** The same at a peer, which is told an account that nobody else has. */
  draw: { asked: Target & { pools: readonly number[]; count: number }; answer: Taken }
}

interface Target {
  readonly port: number
  readonly connections: number
}

export interface Taken {
  /** The places that were answered as given: ids of bookings of ours, `pool:no` of a peer. */
  readonly given: readonly string[]
  /** The other answers, by their code. */
  readonly refused: Readonly<Record<string, number>>
  /** Requests that got no answer, because the server was gone. */
  readonly unanswered: number
  /** In microseconds of the machine's monotonic clock. */
  readonly firstAskedMicros: number
  readonly lastGivenMicros: number
  /** Of an answer. */
  readonly p50Ms: number
  readonly p99Ms: number
}
