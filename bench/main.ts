import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { StartError } from '../src/start-error.ts'
import {
  benchHelp,
  parseBenchOptions,
  UsageError,
  type BenchOptions,
  type BenchPlan,
  type QuestionName,
} from './bench-options.ts'
import { askBook } from './book.ts'
import { askChat } from './chat.ts'
import { askJoin } from './join.ts'
import { askMap } from './map.ts'
import { holders } from './map-changes.ts'
import { askPositions } from './positions.ts'
import { profileLines } from './profile.ts'
import { keep, linesOf, machine } from './report.ts'
import { setStage, type Stage } from './stage.ts'
import { askStores } from './stores.ts'
import type { Findings } from './turn.ts'

const resultsFolder = fileURLToPath(new URL('./results/local', import.meta.url))

const questions: Readonly<Record<QuestionName, (stage: Stage, options: BenchOptions) => Promise<Findings>>> =
  {
    join: askJoin,
    book: askBook,
    positions: askPositions,
    map: askMap,
    stores: askStores,
    chat: askChat,
  }

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  const isExpected = error instanceof UsageError || error instanceof StartError
  process.stderr.write(`${isExpected ? error.message : String((error as Error).stack ?? error)}\n`)
  return 1
})

async function main(argv: readonly string[]): Promise<number> {
  const plan = parseBenchOptions(argv)
  if (plan === 'help') {
    console.log(benchHelp)
    return 0
  }
  const { cpu, cores, node, loadAverage } = machine()
  console.log(`${cores} × ${cpu}, Node ${node}, load average ${loadAverage.toFixed(1)}`)
  await mkdir(resultsFolder, { recursive: true })
  const found = await ask(plan)
  for (const [name, findings] of found) {
    for (const line of linesOf(name, findings)) console.log(line)
    const options = plan.questions.get(name)
    console.log(`  kept in ${await keep(resultsFolder, name, { options, findings })}`)
  }
  const windows = [...found.values()].flatMap((findings) => findings.windows)
  if (plan.profile) for (const line of await profileLines(resultsFolder, windows)) console.log(line)
  return [...found.values()].every(({ checks }) => checks.every(({ ok }) => ok)) ? 0 : 1
}

/** The stage is left before anything is told: a profile is written when the server ends. */
async function ask({ questions: asked, profile }: BenchPlan): Promise<Map<QuestionName, Findings>> {
  const stage = await setStage({
    accounts: Math.max(...[...asked].map(([name, options]) => accountsOf(name, options))),
    profileFolder: profile ? resultsFolder : undefined,
    log: (line) => console.log(line),
  })
  const interrupted = (): void => void stage.stop().finally(() => process.exit(1))
  process.once('SIGINT', interrupted)
  try {
    const found = new Map<QuestionName, Findings>()
    for (const [name, options] of asked) {
      console.log(`${name} …`)
      found.set(name, await questions[name](stage, options))
    }
    return found
  } finally {
    process.off('SIGINT', interrupted)
    await stage.stop()
  }
}

/** How many buyers a question needs. */
function accountsOf(name: QuestionName, { accounts, conns }: BenchOptions): number {
  if (name === 'positions') return conns
  // Nobody buys while stores are looked for.
  if (name === 'stores') return 1
  return name === 'map' ? holders : accounts
}
