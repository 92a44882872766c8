import type { LongLine } from './line-pipeline.ts'
import { rowOf, type Measured } from '../measure/rows.ts'
import { exponentOf, median } from '../measure/series.ts'
import {
  check,
  figureOf,
  sideOf,
  type Check,
  type Curve,
  type Figure,
  type Findings,
} from '../measure/turn.ts'
import type { LineEnd, LineRound } from './waiting-line.ts'

/** What was found of the lines of one size. */
export interface Size {
  readonly conns: number
  readonly rounds: readonly LineRound[]
  readonly ends: readonly LineEnd[]
}

/** Of the largest line. */
export function largestRows({ conns, rounds, ends }: Size, connectionBytes: number): Measured[] {
  const cores = (side: keyof LineRound['cores']): number[] => rounds.map((round) => round.cores[side])
  const toThem = `to ${conns.toLocaleString('en')} waiters`
  return [
    rowOf({
      metric: `server CPU to tell positions ${toThem}`,
      unit: 'cores',
      ours: cores('ours'),
      peer: { name: 'each asks once a second', figures: cores('polls') },
      goal: { of: 'peer', most: 0.333 },
    }),
    rowOf({
      metric: `server CPU to tell positions ${toThem}`,
      unit: 'cores',
      ours: cores('ours'),
      peer: { name: 'a frame to each at each tick', figures: cores('ticks') },
    }),
    rowOf({
      metric: 'age of the oldest position that anybody knew',
      unit: 'of what is promised',
      ours: ends.flatMap(({ judged }) => judged.map(({ largestPart }) => largestPart)),
      goal: { of: 'ours', most: 1 },
    }),
    rowOf({
      metric: 'server memory for a waiting connection, garbage collected',
      unit: 'kB',
      ours: [connectionBytes / 1000],
      goal: { of: 'ours', most: 6 },
    }),
  ]
}

export function longLineRows(waiters: number, long: readonly LongLine[]): Measured[] {
  const inLine = `${waiters.toLocaleString('en')} in line`
  return [
    rowOf({
      metric: `an update of the head, ${inLine}`,
      unit: 'µs',
      ours: long.map(({ updateMicros }) => updateMicros),
    }),
    rowOf({
      metric: `one position told, ${inLine}`,
      unit: 'µs',
      ours: long.map(({ positionMicros }) => positionMicros),
    }),
  ]
}

export function longLineFigure(waiters: number, long: readonly LongLine[]): Figure {
  return figureOf(
    `a position as text, ${waiters.toLocaleString('en')} in line`,
    'bytes',
    long.map(({ bytes }) => bytes),
  )
}

export function sidesOf({ rounds }: Size): Findings['sides'] {
  const turns = (side: 'ours' | 'polls' | 'ticks') => rounds.map((round) => round[side])
  return [
    sideOf('openrun', turns('ours')),
    sideOf('polls', turns('polls')),
    sideOf('frames at each tick', turns('ticks')),
  ]
}

export function figuresOf({ conns, rounds, ends }: Size): Figure[] {
  const ages = ends.flatMap(({ judged }) => judged.map(({ age }) => age))
  const size = conns.toLocaleString('en')
  const cores = (side: keyof LineRound['cores']): number[] => rounds.map((round) => round.cores[side])
  return [
    figureOf(
      `${size} connections: waiting, on the average of a turn`,
      'waiters',
      rounds.map(({ waiting }) => waiting),
    ),
    figureOf(`${size}: server, telling when it matters`, 'cores', cores('ours')),
    figureOf(`${size}: server, if each asked once a second`, 'cores', cores('polls')),
    figureOf(`${size}: server, a frame to each at each tick`, 'cores', cores('ticks')),
    figureOf(
      `${size}: age of what a waiter knows just before the next telling, p50`,
      'ms',
      ages.map(({ p50Ms }) => p50Ms),
    ),
    figureOf(
      `${size}: the same, p99`,
      'ms',
      ages.map(({ p99Ms }) => p99Ms),
    ),
    figureOf(
      `${size}: the same, the most`,
      'ms',
      ages.map(({ mostMs }) => mostMs),
    ),
    figureOf(
      `${size}: the oldest, as a part of what is promised`,
      'of 1',
      ends.flatMap(({ judged }) => judged.map(({ largestPart }) => largestPart)),
    ),
  ]
}

/** What telling costs over how many wait; the note says how each design grows. */
export function curveOf(sizes: readonly Size[]): Curve {
  const pointsOf = (side: keyof LineRound['cores']): [number, number][] =>
    sizes.map(({ rounds }) => [
      median(rounds.map(({ waiting }) => waiting)),
      median(rounds.map(({ cores }) => cores[side])),
    ])
  const lines = [
    { name: 'openrun', points: pointsOf('ours') },
    { name: 'each asks once a second', points: pointsOf('polls') },
    { name: 'a frame to each at each tick', points: pointsOf('ticks') },
  ]
  const powers = lines.map(({ name, points }) => `${name} ${exponentOf(points).toFixed(2)}`)
  return {
    title: 'Telling a line where it stands',
    x: { name: 'waiting connections', unit: '' },
    y: { name: 'server CPU', unit: 'cores' },
    isLog: true,
    lines,
    note: `Grows with the line to the power of: ${powers.join(', ')}. Who stands further back is told more seldom; who asks, or is told at each tick, costs the same wherever they stand.`,
  }
}

export function checksOf(sizes: readonly Size[]): Check[] {
  const lines = sizes.flatMap(({ conns, ends }) => ends.map((end) => ({ conns, ...end })))
  const sum = (pick: (line: LineEnd) => number): number =>
    lines.reduce((total, line) => total + pick(line), 0)
  const all = lines.reduce((total, { conns }) => total + conns, 0)
  const told = (pick: (judged: LineEnd['judged'][number]) => number): number =>
    sum(({ judged }) => judged.reduce((total, one) => total + pick(one), 0))
  return [
    check(
      'positions too old for the wait that was left',
      0,
      told(({ late }) => late),
    ),
    check(
      'positions told before they were true',
      0,
      told(({ untrue }) => untrue),
    ),
    check(
      'waiters who heard that they were let in',
      all,
      sum(({ heard }) => heard.admitted),
    ),
    check(
      'waiters who heard it twice',
      0,
      sum(({ heard }) => heard.admittedTwice),
    ),
    check(
      'waiters let in later than somebody behind them',
      0,
      sum(({ heard }) => heard.overtaken),
    ),
    check(
      'waiters told a position after they were let in',
      0,
      sum(({ heard }) => heard.toldAfterAdmission),
    ),
    check(
      'connections cut off',
      0,
      sum(({ heard }) => heard.cutOff),
    ),
    check(
      'positions that could not be kept',
      0,
      sum(({ heard }) => heard.notKept),
    ),
    check(
      'admissions in PostgreSQL',
      all,
      sum(({ admissions }) => admissions),
    ),
    check(
      'admissions in another order than the line',
      0,
      sum(({ moved }) => moved),
    ),
  ]
}
