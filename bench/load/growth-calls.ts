import type { Driven } from './drive.ts'

interface Target {
  readonly port: number
  readonly connections: number
}

/** What went through several servers at once. */
export interface Spread {
  readonly done: number
  readonly perSecond: number
  /** Of the slower server. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly statuses: Readonly<Record<string, number>>
}

/** What the crowd that is spread over servers, sales and halls can be asked. */
export type GrowthCalls = {
  /** Makes guests, by the organiser's leave; answers their ids. */
  guests: { asked: Target & { count: number; organiserKey: string }; answer: string[] }
  /** The first so many guests join each of the rounds' sales: guest k that of index k modulo how many there are. */
  join: {
    asked: { targets: readonly Target[]; rounds: readonly (readonly string[])[]; count: number }
    answer: Spread
  }
  /** Answers when as many guests as joined one of these sales have their purchase tokens. */
  tokens: { asked: Target & { sales: readonly string[]; count: number }; answer: { admitted: number } }
  /** Each of those guests takes a hold of one place in that sale and orders it. */
  buy: {
    asked: Target & { sales: readonly string[]; count: number; unit: string }
    answer: Driven & { booked: number }
  }
  /** Guests hold one seat after another, so many a second. */
  hold: {
    asked: { port: number; sale: string; seats: readonly string[]; perSecond: number }
    answer: { held: number; p50Ms: number; p99Ms: number; lateP99Ms: number }
  }
  /** Reads all units of a sale so many times, one after the other. */
  snapshots: { asked: { port: number; sale: string; times: number }; answer: Driven }
}
