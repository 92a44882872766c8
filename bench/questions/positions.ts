import { HelperProcess } from '../stage/helper-process.ts'
import { followLongLine, type LongLine } from './line-pipeline.ts'
import type { TickFramesCalls } from '../limits/tick-frames-calls.ts'
import type { LoadCalls } from '../load/load-calls.ts'
import { connectionsMax, defineQuestion, turnOptions, type Bench } from '../question.ts'
import {
  checksOf,
  curveOf,
  figuresOf,
  largestRows,
  longLineFigure,
  longLineRows,
  sidesOf,
  type Size,
} from './positions-findings.ts'
import type { Findings, Window } from '../measure/turn.ts'
import {
  peerPart,
  WaitingLine,
  type LineEnd,
  type LineParts,
  type LinePlan,
  type LineRound,
} from './waiting-line.ts'

/** Below the largest line these are asked as well, as many of them as are wanted, from the smallest. */
const smallerLines = [1_000, 5_000, 10_000]
/** In all turns of one line no more of it are let in than this part: a turn is about a line of so many. */
const letInPart = 0.4
/** What is not measured: a short turn of each side, of a small line, after which nobody does anything for the first time. */
const warmUp = { conns: 1_000, rounds: 1, seconds: 2 } as const
/** The server's own limit is 18,000, for an operating system that allows 20,000 open files; nothing else is open here. */
const env = { OPENRUN_MAX_CONNECTIONS: '19500' }

const positionsOptions = {
  ...turnOptions({ seconds: [5, 12], rounds: [1, 2] }),
  conns: {
    about: 'waiters of the largest line, half on event streams, half on WebSockets',
    quick: 10_000,
    full: 19_000,
    least: 100,
    most: connectionsMax,
  },
  sizes: {
    about: `lines of different length: the largest, and before it ${smallerLines.join(', ')}`,
    quick: 2,
    full: 4,
    least: 1,
    most: 1 + smallerLines.length,
  },
  rate: { about: 'people let in a second', quick: 50, full: 50, least: 1, most: 1_000 },
  waiters: {
    about: 'length of the line that is followed without connections',
    quick: 1_000_000,
    full: 1_000_000,
    least: 1_000,
    most: 50_000_000,
  },
}

export const positions = defineQuestion({
  name: 'positions',
  about: 'what it costs to tell a line where it stands, and how true that is',
  options: positionsOptions,
  ask: async (bench, options) => await askPositions(bench, options),
})

type Options = Readonly<Record<keyof typeof positionsOptions, number>>

/**
 * What does it cost to tell a line where it stands, how does that grow with the line, and how true is what is told?
 * Against two plain designs: everybody asks once a second, and everybody is told at each tick of the gate.
 */
async function askPositions(bench: Bench, options: Options): Promise<Findings> {
  const stage = await bench.open({ accounts: options.conns, env })
  const peer = new HelperProcess<TickFramesCalls>(new URL('../limits/tick-frames.ts', import.meta.url))
  const peerCrowd = new HelperProcess<LoadCalls>(new URL('../load/load-program.ts', import.meta.url))
  try {
    return await new PositionsQuestion(bench, options, { stage, peer, peerCrowd }).ask()
  } finally {
    await peerCrowd.stop()
    await peer.stop()
  }
}

class PositionsQuestion {
  readonly #bench: Bench
  readonly #options: Options
  readonly #parts: LineParts
  readonly #windows: Window[] = []
  #connectionBytes: number | undefined

  constructor(bench: Bench, options: Options, parts: LineParts) {
    this.#bench = bench
    this.#options = options
    this.#parts = parts
  }

  async ask(): Promise<Findings> {
    const { conns, waiters, rounds, seconds } = this.#options
    const warm = await this.#ask({ ...warmUp, conns: Math.min(conns, warmUp.conns) })
    this.#windows.length = 0
    const smaller = smallerLines.filter((size) => size < conns).slice(0, this.#options.sizes - 1)
    const sizes: Size[] = []
    for (const size of [...smaller, conns]) sizes.push(await this.#ask({ conns: size, rounds, seconds }))
    const long: LongLine[] = []
    for (let round = 0; round < Math.max(3, rounds); round++) long.push(await followLongLine(waiters))
    const largest = sizes.at(-1)
    if (largest === undefined || this.#connectionBytes === undefined) throw new Error('no line was asked for')
    return {
      sides: sidesOf(largest),
      rows: [...largestRows(largest, this.#connectionBytes), ...longLineRows(waiters, long)],
      curves: sizes.length > 1 ? [curveOf(sizes)] : [],
      figures: [...sizes.flatMap(figuresOf), longLineFigure(waiters, long)],
      checks: checksOf([warm, ...sizes]),
      windows: this.#windows,
    }
  }

  /** A line is let in before many turns are over: then the next turn has a line of its own. */
  async #ask({ conns, rounds, seconds }: { conns: number; rounds: number; seconds: number }): Promise<Size> {
    const { rate } = this.#options
    const perRound = 1 + 2 * peerPart
    const lineSeconds = (conns / rate) * letInPart
    const roundsOfLine = Math.max(1, Math.floor(lineSeconds / (seconds * perRound)))
    const plan = { conns, rate, seconds: Math.min(seconds, lineSeconds / perRound) }
    const [done, ends]: [LineRound[], LineEnd[]] = [[], []]
    while (done.length < rounds) {
      const line = await this.#openLine(plan)
      const asked = Math.min(roundsOfLine, rounds - done.length)
      for (let round = 0; round < asked; round++) done.push(await line.round())
      ends.push(await line.end())
      this.#windows.push(...line.windows)
    }
    return { conns, rounds: done, ends }
  }

  async #openLine(plan: LinePlan): Promise<WaitingLine> {
    this.#bench.log(`${plan.conns} wait …`)
    const line = new WaitingLine(this.#parts, plan)
    await line.join()
    // Once, of the largest line.
    if (plan.conns === this.#options.conns) this.#connectionBytes ??= await line.memoryOfConnection(env)
    await line.open()
    return line
  }
}
