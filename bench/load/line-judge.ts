import { createHistogram } from 'node:perf_hooks'

/** How old what a waiter knows may be: a twentieth of the wait that is left, one second at least, thirty at the most. */
const promise = { part: 0.05, leastMs: 1000, mostMs: 30_000 } as const
/** Two clocks that are read to the millisecond may disagree by so much. */
const clockMs = 2

/** What waiters were told, in the order in which it arrived: column by column. */
export interface Tellings {
  /** Which one of the line, the first is 0. */
  readonly waiters: readonly number[]
  readonly positions: readonly number[]
  readonly atMs: readonly number[]
}

export interface LineRun {
  readonly tellings: Tellings
  /** When each of the line was let in, as its admission says; NaN of whom is still in it. It is the truth. */
  readonly admittedAtMs: readonly number[]
  /** When each of them heard of it. */
  readonly heardAtMs: readonly number[]
  readonly fromMs: number
  readonly toMs: number
  /** How many are let in. */
  readonly perSecond: number
}

export interface LineJudgement {
  /** Positions that arrived within the time. */
  readonly told: number
  /** Positions that no longer, or not yet, were true for longer than is promised. */
  readonly late: number
  /** Positions told before they were true. */
  readonly untrue: number
  /**
   * How long what a waiter knew had not been true any more at its oldest, just before the waiter was told anew, was
   * let in, or was not listened to any longer.
   */
  readonly age: { readonly p50Ms: number; readonly p99Ms: number; readonly mostMs: number }
  /** The age as a part of what is promised; the largest there was. Above 1 the promise was not kept. */
  readonly largestPart: number
}

/**
 * Holds what waiters were told against when the others were let in. Nobody leaves this line but by being let in, so
 * whoever is the k-th of it, from 0, has position k + 1 less those let in so far.
 */
export function judgeLine(run: LineRun): LineJudgement {
  const { tellings, heardAtMs, fromMs, toMs } = run
  const known = new Map<number, { position: number; atMs: number }>()
  const ages = createHistogram()
  let [told, late, untrue, mostMs, largestPart] = [0, 0, 0, 0, 0]
  const judge = (waiter: number, endMs: number): void => {
    const was = known.get(waiter)
    if (was === undefined || endMs < fromMs || was.atMs > toMs) return
    const { ageMs, allowedMs } = ageOf(run, { waiter, position: was.position, atMs: endMs })
    ages.record(Math.max(1, Math.round(ageMs)))
    mostMs = Math.max(mostMs, ageMs)
    largestPart = Math.max(largestPart, ageMs / allowedMs)
    if (ageMs > allowedMs) late++
  }
  tellings.waiters.forEach((waiter, index) => {
    const [position = 0, atMs = 0] = [tellings.positions[index], tellings.atMs[index]]
    judge(waiter, Math.min(atMs, toMs))
    known.set(waiter, { position, atMs })
    if (atMs < fromMs || atMs > toMs) return
    told++
    if (!isTrueBy(run, { waiter, position, atMs })) untrue++
  })
  for (const waiter of known.keys()) {
    const heardMs = heardAtMs[waiter] ?? Number.NaN
    judge(waiter, heardMs < toMs ? heardMs : toMs)
  }
  const age = { p50Ms: ages.percentile(50), p99Ms: ages.percentile(99), mostMs }
  return { told, late, untrue, age, largestPart }
}

export interface Told {
  readonly waiter: number
  readonly position: number
  readonly atMs: number
}

/** How long a position has not been true any more at a moment, and how long it may be so. */
function ageOf(run: LineRun, { waiter, position, atMs }: Told): { ageMs: number; allowedMs: number } {
  // The position ends with the admission that leaves fewer in front.
  const endedAtMs = run.admittedAtMs[waiter + 1 - position] ?? Number.NaN
  return {
    ageMs: endedAtMs < atMs ? atMs - endedAtMs : 0,
    allowedMs: promisedAgeMs(run, { waiter, atMs }),
  }
}

/** How old what a waiter knows may be at a moment. */
function promisedAgeMs(
  { admittedAtMs, perSecond }: Pick<LineRun, 'admittedAtMs' | 'perSecond'>,
  { waiter, atMs }: Pick<Told, 'waiter' | 'atMs'>,
): number {
  const left = Math.max(0, waiter + 1 - admittedBy(admittedAtMs, atMs))
  const allowedMs = (left / perSecond) * 1000 * promise.part
  return Math.min(promise.mostMs, Math.max(promise.leastMs, allowedMs))
}

/**
 * Whether a position was as true when it arrived as is promised: neither ahead of its time nor older than what may be
 * known. The position 0 says that the waiter was let in.
 */
export function isRightPosition(run: Pick<LineRun, 'admittedAtMs' | 'perSecond'>, told: Told): boolean {
  const { waiter, position, atMs } = told
  const { admittedAtMs } = run
  if (position === 0) return waiter < admittedBy(admittedAtMs, atMs + clockMs)
  const letIn = waiter + 1 - position
  return (
    letIn <= admittedBy(admittedAtMs, atMs + clockMs) &&
    letIn >= admittedBy(admittedAtMs, atMs - promisedAgeMs(run, told))
  )
}

/** A position begins with the admission that leaves so few in front. */
function isTrueBy(run: LineRun, { waiter, position, atMs }: Told): boolean {
  const last = waiter - position
  if (last < 0) return last === -1
  return (run.admittedAtMs[last] ?? Number.NaN) <= atMs + clockMs
}

/** How many of the line were let in by then. */
function admittedBy(admittedAtMs: readonly number[], atMs: number): number {
  let [low, high] = [0, admittedAtMs.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    // NaN, not yet let in, is not by then.
    if ((admittedAtMs[middle] ?? Number.NaN) <= atMs) low = middle + 1
    else high = middle
  }
  return low
}
