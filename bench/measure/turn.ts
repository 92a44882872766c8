import { monotonicMicros } from './monotonic-clock.ts'
import type { Measured } from './rows.ts'
import { spreadOf, type Spread } from './series.ts'

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
  /** What the table of all questions tells of this one. */
  readonly rows: readonly Measured[]
  readonly curves?: readonly Curve[]
  readonly figures?: readonly Figure[]
  readonly checks: readonly Check[]
  /** What is kept with the results and not told. */
  readonly notes?: Readonly<Record<string, unknown>>
  /** When the turns of our side ran, in microseconds of the machine's monotonic clock. */
  readonly windows: readonly Window[]
}

/** How a figure grows with another one; drawn on the page of results. */
export interface Curve {
  readonly title: string
  readonly x: { readonly name: string; readonly unit: string }
  readonly y: { readonly name: string; readonly unit: string }
  /** Whether both axes are logarithmic, so that a straight line is a power. */
  readonly isLog: boolean
  readonly lines: readonly {
    readonly name: string
    readonly points: readonly (readonly [number, number])[]
  }[]
  /** What bends it, in a sentence. */
  readonly note: string
}

export interface Window {
  readonly name: string
  readonly fromMicros: number
  readonly toMicros: number
}

/** Of a question that came to no end: nothing is known, and one count is wrong. */
export function failedFindings(error: unknown): Findings {
  const detail = error instanceof Error ? String(error.stack) : String(error)
  return {
    sides: [],
    rows: [],
    checks: [{ name: 'the question was answered', ok: false, detail }],
    windows: [],
  }
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
