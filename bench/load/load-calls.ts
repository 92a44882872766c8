import type { Driven } from './drive.ts'

interface Target {
  readonly port: number
  readonly connections: number
}

/** What the load program can be asked. It keeps the accounts, their tokens and their holds to itself. */
export type LoadCalls = {
  /** Makes guests, by the organiser's leave; answers their ids. */
  guests: { asked: Target & { count: number; organiserKey: string }; answer: string[] }
  /** Each account joins each sale once, sale after sale, until the time is up or all have. */
  join: { asked: Target & { sales: readonly string[]; seconds: number }; answer: Driven }
  /** Asks for each account's purchase token in a sale that it has joined, until all have theirs. */
  admission: { asked: Target & { sale: string }; answer: { admitted: number } }
  /** Takes holds of one place each until there are so many that no order was made of. */
  hold: { asked: Target & Stock & { count: number }; answer: Driven }
  /** Orders what is held. */
  order: { asked: Target & { seconds: number }; answer: Driven & { booked: number } }
  /** Takes a hold of one place and orders it, again and again. */
  holdAndOrder: { asked: Target & Stock & { seconds: number }; answer: Driven & { booked: number } }
}

/** What is sold: the units of a sale, each account taking so many places at the most. */
export interface Stock {
  readonly sale: string
  readonly units: readonly string[]
  readonly perAccount: number
}
