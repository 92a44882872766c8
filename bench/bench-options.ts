import { parseArgs } from 'node:util'
import { z } from 'zod'

export const benchHelp = `Asks how near the server comes to what its stores and its web server allow.

  npm run bench -- [join|book|all] [options]

  --seconds S    length of each measured turn (3)
  --rounds R     turns of each side, one after the other (3)
  --conns C      connections of the load (256)
  --accounts N   buyers that take part (20000)
  --profile      say where the server spends its time; slows it down, so these figures are not to be quoted

Ends with 0 when every count was right, else with 1. Ratios are told, not judged.`

const questionNames = ['join', 'book'] as const
export type QuestionName = (typeof questionNames)[number]

export interface BenchOptions {
  readonly questions: readonly QuestionName[]
  readonly seconds: number
  readonly rounds: number
  readonly conns: number
  readonly accounts: number
  readonly profile: boolean
}

export class UsageError extends Error {
  override name = 'UsageError'
}

const shape = z.object({
  question: z.enum([...questionNames, 'all']).default('all'),
  seconds: z.coerce.number().min(0.5).max(600).default(3),
  rounds: z.coerce.number().int().min(1).max(100).default(3),
  conns: z.coerce.number().int().min(1).max(2_000).default(256),
  // More would fall out of the server's memory of tokens, and each join would pay for a signature.
  accounts: z.coerce.number().int().min(100).max(45_000).default(20_000),
  profile: z.boolean().default(false),
})

/** The options, or `help`. Throws UsageError. */
export function parseBenchOptions(argv: readonly string[]): BenchOptions | 'help' {
  const { values, positionals } = parsed(argv)
  if (values.help === true) return 'help'
  if (positionals.length > 1) throw new UsageError(`One question at a time, not ${positionals.join(' and ')}`)
  const checked = shape.safeParse({ ...values, question: positionals[0] })
  if (!checked.success) {
    const issue = checked.error.issues[0]
    throw new UsageError(`${String(issue?.path[0])}: ${issue?.message ?? 'wrong'}`)
  }
  const { question, ...rest } = checked.data
  return { ...rest, questions: question === 'all' ? questionNames : [question] }
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        seconds: { type: 'string' },
        rounds: { type: 'string' },
        conns: { type: 'string' },
        accounts: { type: 'string' },
        profile: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
