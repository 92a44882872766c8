import type { TheirTurn } from './map-publishers.ts'
import type { OurTurn } from './map-turns.ts'
import { short } from '../report/report.ts'
import { rowOf, type Measured } from '../measure/rows.ts'
import { exponentOf } from '../measure/series.ts'
import { figureOf, type Curve, type Figure, type Turn } from '../measure/turn.ts'

/** What was measured turn by turn, side by side. */
export interface SocketTurns {
  readonly ours: readonly OurTurn[]
  readonly limit: readonly TheirTurn[]
  readonly ws: readonly TheirTurn[]
  readonly socketIo: readonly TheirTurn[]
}

/** A point of a curve. */
export interface Point {
  readonly x: number
  readonly ours: OurTurn
  readonly limit: TheirTurn
}

export function rowsOfMap({ ours, limit, ws, socketIo }: SocketTurns, viewers: number): Measured[] {
  const ofServer = {
    metric: `server CPU for a frame to one of ${short(viewers)} viewers`,
    unit: 'µs',
    ours: cpuOf(ours),
  }
  const p99Of = (turns: readonly (OurTurn | TheirTurn)[]) => turns.map(({ told }) => told.last.p99Ms)
  return [
    rowOf({ ...ofServer, limit: cpuOf(limit), goal: { of: 'limit', most: 1.15 } }),
    rowOf({
      ...ofServer,
      peer: { name: 'Socket.IO', figures: cpuOf(socketIo) },
      goal: { of: 'peer', most: 0.5 },
    }),
    rowOf({ ...ofServer, peer: { name: 'ws in a loop', figures: cpuOf(ws) } }),
    rowOf({
      metric: `change to the last of ${short(viewers)} viewers, p99`,
      unit: 'ms',
      ours: p99Of(ours),
      limit: p99Of(limit),
      peer: { name: 'Socket.IO', figures: p99Of(socketIo) },
      goal: { of: 'ours', most: 100 },
    }),
    rowOf({
      metric: `frames a second to each of ${short(viewers)} viewers`,
      unit: '/s',
      ours: ours.map(({ framesPerSecond }) => framesPerSecond),
      goal: { of: 'ours', least: 10 },
    }),
  ]
}

export function figuresOfMap(name: string, turns: readonly OurTurn[]): Figure[] {
  const of = (pick: (turn: OurTurn) => number) => turns.map(pick)
  return [
    figureOf(
      `${name}: frames a second`,
      'to each',
      of(({ framesPerSecond }) => framesPerSecond),
    ),
    figureOf(
      `${name}: server`,
      'cores',
      of(({ cores }) => cores),
    ),
    figureOf(
      `${name}: change to last viewer, p50`,
      'ms',
      of(({ told }) => told.last.p50Ms),
    ),
    figureOf(
      `${name}: change to last viewer, p99`,
      'ms',
      of(({ told }) => told.last.p99Ms),
    ),
  ]
}

/** How long the last viewer waits, and what a frame to a viewer costs, as something else grows. */
export function curvesOfMap(over: { name: string; unit: string }, measured: readonly Point[]): Curve[] {
  const points = measured.toSorted((a, b) => a.x - b.x)
  const p99 = ({ told }: OurTurn | TheirTurn): number => told.last.p99Ms
  const cpu = ({ turn }: OurTurn | TheirTurn): number => serverMicros(turn)
  return [
    curveOf('change to last viewer, p99', 'ms', p99),
    curveOf('server CPU for a frame to a viewer', 'µs', cpu),
  ]

  function curveOf(what: string, unit: string, pick: (turn: OurTurn | TheirTurn) => number): Curve {
    const ours = points.map((point): [number, number] => [point.x, pick(point.ours)])
    const limit = points.map((point): [number, number] => [point.x, pick(point.limit)])
    return {
      title: `map: ${what}, over ${over.name}`,
      x: over,
      y: { name: what, unit },
      isLog: true,
      lines: [
        { name: 'openrun', points: ours },
        { name: 'bare publishing', points: limit },
      ],
      note: noteOf(over.name, points, { ours, limit }),
    }
  }
}

/** What bends the lines: what the limit pays as well comes with the bytes, the rest with us. */
function noteOf(
  over: string,
  points: readonly Point[],
  { ours, limit }: Readonly<Record<'ours' | 'limit', readonly (readonly [number, number])[]>>,
): string {
  const bytes = points.map(({ x, ours: { told } }): [number, number] => [x, bytesOfFrame(told.frames)])
  const [byUs, byLimit, byBytes] = [exponentOf(ours), exponentOf(limit), exponentOf(bytes)]
  const lies = byUs - byLimit
  const cause =
    Math.abs(lies) < 0.05
      ? 'the bytes and the sending, which both have, bend both alike'
      : lies > 0
        ? 'what only openrun does bends it further up'
        : 'what only openrun does bends it less'
  const [least, most] = [bytes[0]?.[1] ?? 0, bytes.at(-1)?.[1] ?? 0]
  return (
    `Grows with the power ${byUs.toFixed(2)} of ${over}, bare publishing of the same bytes with ${byLimit.toFixed(2)}: ` +
    `${cause}. A frame grows from ${least.toFixed(0)} to ${most.toFixed(0)} bytes, with the power ${byBytes.toFixed(2)}.`
  )
}

function bytesOfFrame(frames: OurTurn['told']['frames']): number {
  return frames.reduce((sum, { text }) => sum + text.length, 0) / Math.max(1, frames.length)
}

function cpuOf(turns: readonly { readonly turn: Turn }[]): number[] {
  return turns.map(({ turn }) => serverMicros(turn))
}

function serverMicros({ cpuMicros }: Turn): number {
  return cpuMicros['server'] ?? Number.NaN
}
