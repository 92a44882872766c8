import type { Transport } from '../client/waiting.ts'
import { seededRandom } from './seeded-random.ts'

/** What a buyer is going to do, decided before it comes. All times in milliseconds. */
export interface BuyerPlan {
  readonly arrivesAfterMs: number
  readonly transport: Transport
  /** Joins twice at once, as with a second tab or an impatient finger. */
  readonly joinsTwice: boolean
  /** Gives up the line after so long, if not let in before. */
  readonly leavesAfterMs: number | undefined
  /** Loses the network, and comes back over the other transport. */
  readonly away: { readonly afterMs: number; readonly forMs: number } | undefined
  /** How long to stay where nothing is left to be had. */
  readonly patienceMs: number
  /** Seats; cut to what the sale allows. */
  readonly count: number
  /** Lets the server choose the best seats, or picks some at random. */
  readonly chooses: 'best' | 'single'
  /** Between two decisions. */
  readonly pauseMs: number
  /** Attempts to hold something before giving up. */
  readonly tries: number
  /** What becomes of the first hold: it is ordered, given back for another one, or left to its end. */
  readonly firstHold: 'order' | 'release' | 'abandon'
  readonly method: PaymentMethod
  /** In a sale without money: holds and books in one call. */
  readonly booksInOneCall: boolean
  /** How often something is said in the room of the store, where the sale is held in one. */
  readonly says: number
}

export type PaymentMethod = 'sandbox_approve' | 'sandbox_refuse' | 'sandbox_late' | 'sandbox_never'

/** The plan of the buyer with this number. The same seed gives the same crowd. */
export function buyerPlan(seed: number, number: number): BuyerPlan {
  const random = seededRandom(seed, number)
  const between = (from: number, to: number): number => Math.round(from + random() * (to - from))
  const happens = (share: number): boolean => random() < share
  return {
    // Most come with the opening, few much later.
    arrivesAfterMs: Math.round(Math.min(15_000, -Math.log(1 - random()) * 2_500)),
    transport: number % 2 === 0 ? 'ws' : 'sse',
    joinsTwice: happens(0.08),
    leavesAfterMs: happens(0.04) ? between(2_000, 40_000) : undefined,
    away: happens(0.1) ? { afterMs: between(500, 20_000), forMs: between(200, 6_000) } : undefined,
    patienceMs: between(8_000, 25_000),
    count: oneOf(random(), [0.25, 0.45, 0.15, 0.15]) + 1,
    chooses: happens(0.6) ? 'best' : 'single',
    pauseMs: between(300, 2_500),
    tries: between(3, 7),
    firstHold: (['order', 'release', 'abandon'] as const)[oneOf(random(), [0.92, 0.06, 0.02])] ?? 'order',
    method: methods[oneOf(random(), [0.86, 0.06, 0.06, 0.02])] ?? 'sandbox_approve',
    booksInOneCall: happens(0.5),
    says: oneOf(random(), [0.6, 0.25, 0.15]),
  }
}

const methods = ['sandbox_approve', 'sandbox_refuse', 'sandbox_late', 'sandbox_never'] as const

/** An index, chosen by shares that add up to 1. */
function oneOf(chance: number, shares: readonly number[]): number {
  let sum = 0
  const index = shares.findIndex((share) => chance < (sum += share))
  return index === -1 ? shares.length - 1 : index
}
