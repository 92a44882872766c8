import type { PoolDesign, PoolShape } from './pool-design.ts'
import { PoolTally } from './pool-tally.ts'
import { rowOf, type Measured } from '../measure/rows.ts'
import { median } from '../measure/series.ts'
import type { Turn } from '../measure/turn.ts'

const goalTimes = 3
const goalPerSecond = 20_000
/** Requests for each place. */
const wanted = 1.05

export const poolKinds = [
  { name: 'one pool', pools: 1 },
  { name: 'ten pools', pools: 10 },
] as const
type PoolKind = (typeof poolKinds)[number]

interface PoolTurn extends Turn {
  /** Places told as given, whether they were on disk or not. */
  readonly answeredPerSecond: number
}

/** All turns of one design with one kind of pools. */
export class PoolSeries {
  readonly turns: PoolTurn[] = []
  readonly design: PoolDesign
  readonly kind: PoolKind
  readonly places: number
  readonly shape: PoolShape
  readonly tally: PoolTally

  constructor(design: PoolDesign, kind: PoolKind, places: number) {
    this.design = design
    this.kind = kind
    this.places = places
    this.shape = shapeOf(kind.pools, places)
    this.tally = new PoolTally(this.name)
  }

  get name(): string {
    return `${this.design.name}, ${this.pools}`
  }

  /** Such as `ten pools of 10,000`. */
  get pools(): string {
    return `${this.kind.name} of ${this.shape.capacity.toLocaleString('en')}`
  }

  get durable(): number[] {
    return this.turns.map(({ perSecond }) => perSecond)
  }

  get answered(): number[] {
    return this.turns.map(({ answeredPerSecond }) => answeredPerSecond)
  }
}

export function shapeOf(pools: number, places: number): PoolShape {
  const capacity = Math.max(1, Math.round(places / pools))
  return { pools, capacity, asked: pools * Math.ceil(capacity * wanted) }
}

/** Of one kind of pools: ours against the best of the others, by itself, and against each. */
export function poolRows([ours, ...peers]: readonly PoolSeries[]): Measured[] {
  const best = peers.toSorted((a, b) => median(b.durable) - median(a.durable))[0]
  if (ours === undefined || best === undefined) return []
  const { pools, durable } = ours
  const common = { unit: 'a second', ours: durable }
  return [
    rowOf({
      ...common,
      metric: `${pools}: places given and durable`,
      peer: { name: best.design.name, figures: best.durable },
      goal: { of: 'peer', least: goalTimes },
    }),
    rowOf({
      ...common,
      metric: `${pools}: the same by itself`,
      goal: { of: 'ours', least: goalPerSecond },
    }),
    ...peers.map((peer) =>
      rowOf({
        ...common,
        metric: `${pools}: durable (peer: ${peer.pools})`,
        peer: { name: peer.design.name, figures: peer.durable },
      }),
    ),
    ...peers
      .filter(({ design }) => !design.isDurableWhenAnswered)
      .map((peer) =>
        rowOf({
          ...common,
          metric: `${pools}: durable (peer: answered and not yet durable)`,
          peer: { name: peer.design.name, figures: peer.answered },
        }),
      ),
    rowOf({
      metric: `${pools}: answer, p99`,
      unit: 'ms',
      ours: ours.turns.map(({ p99Ms }) => p99Ms),
      peer: { name: best.design.name, figures: best.turns.map(({ p99Ms }) => p99Ms) },
    }),
  ]
}
