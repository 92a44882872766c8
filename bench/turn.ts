import { monotonicMicros } from './monotonic-clock.ts'
import { spreadOf, median, type Spread } from './series.ts'

/** One side's figures of one turn. */
export interface Turn {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time, by the name of who used it, in microseconds for each piece of work. */
  readonly cpuMicros: Readonly<Record<string, number>>
}

/** A side over all its turns. */
export interface Side {
  readonly name: string
  readonly perSecond: Spread
  readonly p50Ms: Spread
  readonly p99Ms: Spread
  readonly cpuMicros: Readonly<Record<string, Spread>>
  readonly turns: readonly Turn[]
}

/** What the bench says in the end: one figure of ours over the same figure of the limit. */
export interface Ratio {
  readonly name: string
  readonly ratio: number
  /** What we aim at, at least. */
  readonly goal: number
  /** Of the pairs of turns that stood side by side. */
  readonly spread: Spread
}

export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** What is told beside the sides and their ratios. */
export interface Figure {
  readonly name: string
  readonly spread: Spread
  readonly unit: string
}

export function figureOf(name: string, unit: string, figures: readonly number[]): Figure {
  return { name, unit, spread: spreadOf(figures) }
}

export interface Findings {
  readonly sides: readonly Side[]
  readonly ratios: readonly Ratio[]
  readonly figures?: readonly Figure[]
  readonly checks: readonly Check[]
  /** What is kept with the results and not told. */
  readonly notes?: Readonly<Record<string, unknown>>
  /** When the turns of our side ran, in microseconds of the machine's monotonic clock. */
  readonly windows: readonly Window[]
}

export interface Window {
  readonly name: string
  readonly fromMicros: number
  readonly toMicros: number
}

export function sideOf(name: string, turns: readonly Turn[]): Side {
  const users = Object.keys(turns[0]?.cpuMicros ?? {})
  const cpuOf = (user: string) => turns.map((turn) => turn.cpuMicros[user] ?? Number.NaN)
  return {
    name,
    perSecond: spreadOf(turns.map((turn) => turn.perSecond)),
    p50Ms: spreadOf(turns.map((turn) => turn.p50Ms)),
    p99Ms: spreadOf(turns.map((turn) => turn.p99Ms)),
    cpuMicros: Object.fromEntries(users.map((user) => [user, spreadOf(cpuOf(user))])),
    turns,
  }
}

/** The ratio of two medians, with the spread of the ratios turn by turn. */
export function ratioOf(
  named: { readonly name: string; readonly goal: number },
  over: { readonly top: readonly number[]; readonly bottom: readonly number[] },
): Ratio {
  const { top, bottom } = over
  return {
    ...named,
    ratio: median(top) / median(bottom),
    spread: spreadOf(top.map((figure, index) => figure / (bottom[index] ?? Number.NaN))),
  }
}

export function check(name: string, expected: number, found: number): Check {
  return { name, ok: expected === found, detail: `${found} of ${expected}` }
}

/** Runs a turn and says what each of some processes used for one piece of its work. */
export async function timed<T>(
  meters: Readonly<Record<string, () => number>>,
  work: () => Promise<T>,
  countOf: (result: T) => number,
): Promise<{ result: T; cpuMicros: Record<string, number>; fromMicros: number; toMicros: number }> {
  const { usedMicros, ...rest } = await metered(meters, work)
  return { ...rest, cpuMicros: shares(usedMicros, countOf(rest.result)) }
}

/** Runs a turn and says what each of some processes used for all of it. */
export async function metered<T>(
  meters: Readonly<Record<string, () => number>>,
  work: () => Promise<T>,
): Promise<{ result: T; usedMicros: Record<string, number>; fromMicros: number; toMicros: number }> {
  const read = () => Object.entries(meters).map(([name, meter]) => [name, meter()] as const)
  const fromMicros = monotonicMicros()
  const before = new Map(read())
  const result = await work()
  const used = read().map(([name, micros]) => [name, micros - (before.get(name) ?? 0)] as const)
  return { result, usedMicros: Object.fromEntries(used), fromMicros, toMicros: monotonicMicros() }
}

/** What was used, for one of so many pieces of work. */
export function shares(usedMicros: Readonly<Record<string, number>>, count: number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(usedMicros).map(([name, micros]) => [name, micros / Math.max(1, count)]),
  )
}

/** How many cores a process kept busy. */
export function coresOf(
  usedMicros: number | undefined,
  { fromMicros, toMicros }: Pick<Window, 'fromMicros' | 'toMicros'>,
): number {
  return (usedMicros ?? Number.NaN) / (toMicros - fromMicros)
}
