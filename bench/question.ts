import type { Findings } from './measure/turn.ts'
import type { Stage, StageNeeds } from './stage/stage.ts'

/** A figure that a question goes by, with what it is in the quick form and in the full one. */
export interface NumberOption {
  readonly about: string
  readonly quick: number
  readonly full: number
  readonly least: number
  readonly most: number
}

/** What a question works with. */
export interface Bench {
  /** Starts stores, a server and a crowd; they end with the question. */
  open(needs: StageNeeds): Promise<Stage>
  log(line: string): void
}

export interface Question {
  readonly name: string
  /** One sentence, for `--help`. */
  readonly about: string
  readonly options: Readonly<Record<string, NumberOption>>
  ask(bench: Bench, values: Readonly<Record<string, number>>): Promise<Findings>
}

/** A question whose options are known by name where it is asked. */
export function defineQuestion<Name extends string>(question: {
  readonly name: string
  readonly about: string
  readonly options: Readonly<Record<Name, NumberOption>>
  readonly ask: (bench: Bench, options: Readonly<Record<Name, number>>) => Promise<Findings>
}): Question {
  return {
    ...question,
    ask: (bench, values) => question.ask(bench, values as Readonly<Record<Name, number>>),
  }
}

// The crowd of a question is one process, which may have 20,000 files open.
export const connectionsMax = 19_000

/** The length of each measured turn, and how many there are of each side. */
export function turnOptions({ seconds, rounds }: { seconds: [number, number]; rounds: [number, number] }) {
  return {
    seconds: {
      about: 'length of each measured turn, in seconds',
      quick: seconds[0],
      full: seconds[1],
      least: 0.5,
      most: 600,
    },
    rounds: {
      about: 'turns of each side, one after the other',
      quick: rounds[0],
      full: rounds[1],
      least: 1,
      most: 100,
    },
  } satisfies Record<string, NumberOption>
}
