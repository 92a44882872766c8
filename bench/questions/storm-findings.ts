import type { StormBack } from '../load/storm-calls.ts'
import type { StatementCount } from '../measure/postgres-statements.ts'
import { rowOf, type Measured } from '../measure/rows.ts'
import { figureOf, type Figure } from '../measure/turn.ts'

/**
 * Queries of PostgreSQL for each who came back, beyond those of as long a calm. There should be none; but what is asked
 * once a second, or for each tick of the gate, is not asked equally often in two spaces of some seconds, and the sum of
 * what was asked more often is some ten. A single query for each who comes back would be 1.
 */
const queriesMost = 0.01

/** What one storm has shown. */
export interface Storm {
  readonly back: StormBack
  /** Of PostgreSQL, for each who came back, beyond those of as long a calm. */
  readonly queries: number
  readonly serverSeconds: number
}

/** What the death of the server has shown. */
export interface Killed {
  readonly back: StormBack
  /** Until the next one listened, from the kill. */
  readonly startedMs: number
}

export function rowsOf(
  conns: number,
  { storms, killed }: { storms: readonly Storm[]; killed: Killed },
): Measured[] {
  const all = conns.toLocaleString('en')
  const seconds = (pick: (back: StormBack) => number): number[] => storms.map(({ back }) => pick(back) / 1000)
  return [
    rowOf({
      metric: `all ${all} connections cut: the last is back and knows how things stand`,
      unit: 's',
      ours: seconds(({ lastMs }) => lastMs),
      goal: { of: 'ours', most: 10 },
    }),
    rowOf({ metric: `the same, half of them`, unit: 's', ours: seconds(({ p50Ms }) => p50Ms) }),
    rowOf({
      metric: 'PostgreSQL queries for each who came back',
      unit: 'queries',
      ours: storms.map(({ queries }) => queries),
      goal: { of: 'ours', most: queriesMost },
    }),
    rowOf({
      metric: `server killed with ${all} connections and begun anew: the last is back`,
      unit: 's',
      ours: [killed.back.lastMs / 1000],
    }),
  ]
}

export function figuresOf({ storms, killed }: { storms: readonly Storm[]; killed: Killed }): Figure[] {
  const of = (pick: (storm: Storm) => number): number[] => storms.map(pick)
  return [
    figureOf(
      'back after a cut, p99',
      's',
      of(({ back }) => back.p99Ms / 1000),
    ),
    figureOf(
      'connections it took, for each',
      'of them',
      of(({ back }) => back.attempts),
    ),
    figureOf(
      'viewers told what they had missed',
      'of them',
      of(({ back }) => back.mapsResumed),
    ),
    figureOf(
      'viewers told the whole map again',
      'of them',
      of(({ back }) => back.mapsWhole),
    ),
    figureOf(
      'processor time of the server in a storm',
      's',
      of(({ serverSeconds }) => serverSeconds),
    ),
    figureOf('killed: the next server listens', 's', [killed.startedMs / 1000]),
    figureOf('killed: half of them are back', 's', [killed.back.p50Ms / 1000]),
    figureOf('killed: connections it took, for each', 'of them', [killed.back.attempts]),
  ]
}

/**
 * What PostgreSQL was asked, statement by statement, and of each by how much more often than in as long a calm; those
 * first. All together would not do: the gate takes its time when there is much to do, and its own statements, of which
 * there are less then, would hide others.
 */
export function statementsOfStorm(counted: {
  readonly calm: StatementCount
  readonly seconds: number
  readonly meanwhile: StatementCount
  readonly stormSeconds: number
}): { statement: string; calm: number; storm: number; more: number }[] {
  const { calm, seconds, meanwhile, stormSeconds } = counted
  const statements = new Set([...calm.byText.keys(), ...meanwhile.byText.keys()])
  return [...statements]
    .map((statement) => {
      const storm = meanwhile.byText.get(statement) ?? 0
      const expected = ((calm.byText.get(statement) ?? 0) * stormSeconds) / seconds
      return { statement: statement.slice(0, 200), calm: expected, storm, more: storm - expected }
    })
    .toSorted((a, b) => b.more - a.more)
}
