import { parseArgs } from 'node:util'
import { z } from 'zod'

export const benchHelp = `Asks how near the server comes to what its stores and its web server allow.

  npm run bench -- [join|book|positions|map|stores|chat|all] [options]

  --seconds S    length of each measured turn (join, book 3; positions 15; map, chat 8)
  --rounds R     turns of each side, one after the other (3)
  --profile      say where the server spends its time; slows it down, so these figures are not to be quoted

join, book:
  --conns C      connections of the load (256)
  --accounts N   buyers that take part (20000)
positions:
  --conns C      waiters, half of them on event streams, half on WebSockets (10000)
  --rate R       people let in a second (20)
  --waiters N    length of the line that is followed without connections (1000000)
map:
  --viewers N    who watch the map over WebSockets, and in other turns a fifth of them over event streams (10000)
  --seats N      seats of the hall (2400)
  --changes C    holds and releases a second (100)
stores:
  --stores N     stores that are looked through (200000)
  --finds N      pages of each kind that are asked for in a round (200)
chat:
  --members N    members of the full room (2000)
  --messages C   messages a second in it (100)
  --rooms N      rooms in which it is asked how many messages can be written (500)

Ends with 0 when every count was right, else with 1. Ratios are told, not judged.`

const questionNames = ['join', 'book', 'positions', 'map', 'stores', 'chat'] as const
export type QuestionName = (typeof questionNames)[number]

/** What one question goes by. */
export interface BenchOptions {
  readonly seconds: number
  readonly rounds: number
  readonly conns: number
  readonly accounts: number
  readonly rate: number
  readonly waiters: number
  readonly viewers: number
  readonly seats: number
  readonly changes: number
  readonly stores: number
  readonly finds: number
  readonly members: number
  readonly messages: number
  readonly rooms: number
}

export interface BenchPlan {
  readonly questions: ReadonlyMap<QuestionName, BenchOptions>
  readonly profile: boolean
}

export class UsageError extends Error {
  override name = 'UsageError'
}

const seconds = z.coerce.number().min(0.5).max(600)
// The crowd of a question is one process, which may have 20,000 files open.
const connectionsMax = 18_000
const conns = z.coerce.number().int().min(1).max(connectionsMax)
const shape = z.object({
  seconds: seconds.default(3),
  rounds: z.coerce.number().int().min(1).max(100).default(3),
  conns: conns.max(2_000).default(256),
  // More would fall out of the server's memory of tokens, and each join would pay for a signature.
  accounts: z.coerce.number().int().min(100).max(45_000).default(20_000),
  rate: z.coerce.number().int().min(1).max(1_000).default(20),
  waiters: z.coerce.number().int().min(1_000).max(50_000_000).default(1_000_000),
  viewers: z.coerce.number().int().min(5).max(connectionsMax).default(10_000),
  seats: z.coerce.number().int().min(100).max(20_000).default(2_400),
  changes: z.coerce.number().int().min(1).max(2_000).default(100),
  stores: z.coerce.number().int().min(1_000).max(5_000_000).default(200_000),
  finds: z.coerce.number().int().min(10).max(100_000).default(200),
  members: z.coerce.number().int().min(2).max(connectionsMax).default(2_000),
  messages: z.coerce.number().int().min(1).max(2_000).default(100),
  rooms: z.coerce.number().int().min(1).max(10_000).default(500),
})
const shapes = {
  join: shape,
  book: shape,
  positions: shape.extend({ seconds: seconds.default(15), conns: conns.default(10_000) }),
  map: shape.extend({ seconds: seconds.default(8) }),
  stores: shape,
  chat: shape.extend({ seconds: seconds.default(8) }),
} as const satisfies Record<QuestionName, z.ZodType<BenchOptions>>

/** The questions with their options, or `help`. Throws UsageError. */
export function parseBenchOptions(argv: readonly string[]): BenchPlan | 'help' {
  const { values, positionals } = parsed(argv)
  const { help = false, profile = false, ...figures } = values
  if (help) return 'help'
  if (positionals.length > 1) throw new UsageError(`One question at a time, not ${positionals.join(' and ')}`)
  const asked = positionals[0] ?? 'all'
  const names = questionNames.filter((name) => asked === 'all' || asked === name)
  if (names.length === 0) throw new UsageError(`There is no question ${asked}`)
  return { profile, questions: new Map(names.map((name) => [name, optionsOf(name, figures)])) }
}

function optionsOf(name: QuestionName, figures: Readonly<Record<string, unknown>>): BenchOptions {
  const checked = shapes[name].safeParse(figures)
  if (checked.success) return checked.data
  const issue = checked.error.issues[0]
  throw new UsageError(`${name}: ${String(issue?.path[0])}: ${issue?.message ?? 'wrong'}`)
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        profile: { type: 'boolean' },
        seconds: { type: 'string' },
        rounds: { type: 'string' },
        conns: { type: 'string' },
        accounts: { type: 'string' },
        rate: { type: 'string' },
        waiters: { type: 'string' },
        viewers: { type: 'string' },
        seats: { type: 'string' },
        changes: { type: 'string' },
        stores: { type: 'string' },
        finds: { type: 'string' },
        members: { type: 'string' },
        messages: { type: 'string' },
        rooms: { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
