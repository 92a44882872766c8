import { parseArgs } from 'node:util'
import type { NumberOption, Question } from './question.ts'

/** What is to be asked, and by which figures each question goes. */
export interface BenchPlan {
  readonly asked: readonly {
    readonly question: Question
    readonly values: Readonly<Record<string, number>>
  }[]
  readonly form: 'quick' | 'full'
  /** Whether everything is asked: then the results stand for the whole. */
  readonly isWhole: boolean
  readonly profile: boolean
}

export class UsageError extends Error {
  override name = 'UsageError'
}

/** The questions with their figures, or `help`. Throws UsageError. */
export function parseBenchOptions(
  argv: readonly string[],
  questions: readonly Question[],
): BenchPlan | 'help' {
  const { values, positionals } = parsed(argv, questions)
  const { help = false, profile = false, full = false, ...figures } = values
  if (help) return 'help'
  const unknown = positionals.find((name) => !questions.some((question) => question.name === name))
  if (unknown !== undefined) throw new UsageError(`There is no question ${unknown}`)
  const isWhole = positionals.length === 0
  const chosen = questions.filter(({ name }) => isWhole || positionals.includes(name))
  const form = full ? 'full' : 'quick'
  for (const name of Object.keys(figures))
    if (!chosen.some(({ options }) => name in options))
      throw new UsageError(`--${name} means nothing to ${chosen.map((question) => question.name).join(', ')}`)
  const asked = chosen.map((question) => ({ question, values: valuesOf(question, { figures, form }) }))
  return { asked, form, isWhole, profile }
}

export function benchHelp(questions: readonly Question[]): string {
  const lines = questions.flatMap(({ name, about, options }) => [
    '',
    `${name}: ${about}`,
    ...Object.entries(options).map(
      ([option, { about: what, quick, full }]) =>
        `  ${`--${option} N`.padEnd(18)} ${what} (${quick}${full === quick ? '' : `, full ${full}`})`,
    ),
  ])
  return [
    'Asks how near the server comes to what its machine allows, and what a user would get instead.',
    '',
    '  npm run bench -- [question …] [--full] [--profile] [options]',
    '',
    'Without a question all are asked, in some ten minutes; --full takes up to ninety and gives the figures that',
    'are quoted. --profile says where the server spends its time, and slows it down: such figures are not to be quoted.',
    'Ends with 0 when every count was right, else with 1. Goals are told, not judged.',
    ...lines,
  ].join('\n')
}

function valuesOf(
  { name, options }: Question,
  { figures, form }: { figures: Readonly<Record<string, unknown>>; form: 'quick' | 'full' },
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(options).map(([option, spec]) => [
      option,
      figures[option] === undefined ? spec[form] : checked(`${name} --${option}`, figures[option], spec),
    ]),
  )
}

function checked(name: string, given: unknown, { least, most }: NumberOption): number {
  const value = Number(given)
  if (given === '' || !(value >= least && value <= most))
    throw new UsageError(`${name} is a number from ${least} to ${most}, not ${String(given)}`)
  return value
}

function parsed(argv: readonly string[], questions: readonly Question[]) {
  const names = questions.flatMap(({ options }) => Object.keys(options))
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
        help: { type: 'boolean', short: 'h' },
        profile: { type: 'boolean' },
        full: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
