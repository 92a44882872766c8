import { median, spreadOf, type Spread } from './series.ts'

/** One line of the table: a figure of ours beside the same figure of the limit, or of a peer. */
export interface Row {
  readonly question: string
  readonly metric: string
  readonly unit: string
  /** Medians over the turns. */
  readonly ours: number
  readonly limit: number | null
  readonly peer: number | null
  readonly peerName: string | null
  /** Ours over the limit or the peer, as the medians of all turns have it. */
  readonly ratio: number | null
  readonly ratioTo: 'limit' | 'peer' | null
  /** Such as `≥ 0.8 × limit` or `≤ 100 ms`. */
  readonly goal: string | null
  /** The same for a chart; null when the goal is none of the ratio. */
  readonly ratioGoal: { readonly least: number } | { readonly most: number } | null
  readonly met: boolean | null
  /** Of ours, turn by turn; and of the ratio of turns that stood side by side. */
  readonly spread: Spread
  readonly ratioSpread: Spread | null
}

/** A row before it is known which question it answers. */
export type Measured = Omit<Row, 'question'>

/** What a figure, or its ratio to the limit or the peer, must be. */
export type Goal = { readonly of: 'ours' | 'limit' | 'peer' } & (
  | { readonly least: number }
  | { readonly most: number }
)

/** A row from what was measured turn by turn. The ratio is to what the goal names, else to the limit, else to the peer. */
export function rowOf(measured: {
  readonly metric: string
  readonly unit: string
  readonly ours: readonly number[]
  readonly limit?: readonly number[] | undefined
  readonly peer?: { readonly name: string; readonly figures: readonly number[] } | undefined
  readonly goal?: Goal | undefined
}): Measured {
  const { metric, unit, ours, limit, peer, goal } = measured
  const ratioTo = ratioToOf(measured)
  const other = ratioTo === 'limit' ? limit : ratioTo === 'peer' ? peer?.figures : undefined
  const ratio = other === undefined ? null : median(ours) / median(other)
  const judged = goal === undefined ? null : goal.of === 'ours' ? median(ours) : (ratio ?? Number.NaN)
  return {
    metric,
    unit,
    ours: median(ours),
    limit: limit === undefined ? null : median(limit),
    peer: peer === undefined ? null : median(peer.figures),
    peerName: peer?.name ?? null,
    ratio,
    ratioTo,
    goal: goal === undefined ? null : goalText(goal, unit),
    ratioGoal: goal === undefined || goal.of === 'ours' ? null : boundOf(goal),
    met: goal === undefined || judged === null ? null : isMet(goal, judged),
    spread: spreadOf(ours),
    ratioSpread:
      other === undefined ? null : spreadOf(ours.map((figure, turn) => figure / (other[turn] ?? Number.NaN))),
  }
}

function ratioToOf({ limit, peer, goal }: Parameters<typeof rowOf>[0]): Row['ratioTo'] {
  const given = { limit: limit !== undefined, peer: peer !== undefined }
  if (goal?.of === 'limit' || goal?.of === 'peer') return given[goal.of] ? goal.of : null
  return given.limit ? 'limit' : given.peer ? 'peer' : null
}

function boundOf(goal: Goal): NonNullable<Row['ratioGoal']> {
  return 'least' in goal ? { least: goal.least } : { most: goal.most }
}

/** NaN meets nothing. */
function isMet(goal: Goal, judged: number): boolean {
  return 'least' in goal ? judged >= goal.least : judged <= goal.most
}

function goalText(goal: Goal, unit: string): string {
  const bound = 'least' in goal ? `≥ ${goal.least}` : `≤ ${goal.most}`
  return goal.of === 'ours' ? `${bound} ${unit}` : `${bound} × ${goal.of}`
}
