import type { PromiseName, Verdict } from '../../../src/crowd/verdict.ts'
import type { Ground } from './grounds.ts'

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

/** What a judge found, and how much there was to look at. */
export interface Judged {
  readonly breaches: readonly Breach[]
  readonly looked: Looked
}

export type Looked = Readonly<Partial<Record<Ground, number>>>

/** What several judges found, as one. */
export function judgedTogether(all: readonly Judged[]): Judged {
  const looked: Partial<Record<Ground, number>> = {}
  for (const one of all) {
    for (const [name, count] of Object.entries(one.looked) as [Ground, number][])
      looked[name] = (looked[name] ?? 0) + count
  }
  return { breaches: all.flatMap(({ breaches }) => breaches), looked }
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

export function judgedByCrowd(verdict: Verdict): Judged {
  const breaches = Object.entries(verdict).flatMap(([name, { breaches: found }]) =>
    found.map((what) => ({ promise: ofCrowd[name as PromiseName], what })),
  )
  return { breaches, looked: { stays: verdict.order.checked, tokens: verdict.gate.checked } }
}
