import type { PromiseName, Verdict } from '../../../src/crowd/verdict.ts'

/** The eight promises, by their numbers. */
export const promiseTitles = [
  'never oversold',
  'first come, first served',
  'the gate holds',
  'said is done',
  'no orphan money',
  'streams converge',
  'one account, one place',
  'what is held comes back',
] as const

export interface Breach {
  /** From 1. */
  readonly promise: number
  readonly what: string
}

/** Which promise each judge of the crowd speaks of. */
const ofCrowd: Readonly<Record<PromiseName, number>> = {
  stock: 1,
  order: 2,
  gate: 3,
  pace: 3,
  said: 4,
  tickets: 4,
  room: 6,
  places: 7,
  limit: 7,
}

export function breachesOf(verdict: Verdict): Breach[] {
  return Object.entries(verdict).flatMap(([name, { breaches }]) =>
    breaches.map((what) => ({ promise: ofCrowd[name as PromiseName], what })),
  )
}
