import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { StartError } from '../src/start-error.ts'
import {
  benchHelp,
  parseBenchOptions,
  UsageError,
  type BenchOptions,
  type QuestionName,
} from './bench-options.ts'
import { askBook } from './book.ts'
import { askJoin } from './join.ts'
import { profileLines } from './profile.ts'
import { keep, linesOf, machine } from './report.ts'
import { setStage, type Stage } from './stage.ts'
import type { Findings } from './turn.ts'

const resultsFolder = fileURLToPath(new URL('./results/local', import.meta.url))

const questions: Readonly<Record<QuestionName, (stage: Stage, options: BenchOptions) => Promise<Findings>>> =
  {
    join: askJoin,
    book: askBook,
  }

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  const isExpected = error instanceof UsageError || error instanceof StartError
  process.stderr.write(`${isExpected ? error.message : String((error as Error).stack ?? error)}\n`)
  return 1
})

async function main(argv: readonly string[]): Promise<number> {
  const options = parseBenchOptions(argv)
  if (options === 'help') {
    console.log(benchHelp)
    return 0
  }
  const { cpu, cores, node, loadAverage } = machine()
  console.log(`${cores} × ${cpu}, Node ${node}, load average ${loadAverage.toFixed(1)}`)
  await mkdir(resultsFolder, { recursive: true })
  const found = await ask(options)
  for (const [name, findings] of found) {
    for (const line of linesOf(name, findings)) console.log(line)
    console.log(`  kept in ${await keep(resultsFolder, name, { options, findings })}`)
  }
  const windows = [...found.values()].flatMap((findings) => findings.windows)
  if (options.profile) for (const line of await profileLines(resultsFolder, windows)) console.log(line)
  return [...found.values()].every(({ checks }) => checks.every(({ ok }) => ok)) ? 0 : 1
}

/** The stage is left before anything is told: a profile is written when the server ends. */
async function ask(options: BenchOptions): Promise<Map<QuestionName, Findings>> {
  const stage = await setStage({
    accounts: options.accounts,
    connections: options.conns,
    profileFolder: options.profile ? resultsFolder : undefined,
    log: (line) => console.log(line),
  })
  const interrupted = (): void => void stage.stop().finally(() => process.exit(1))
  process.once('SIGINT', interrupted)
  try {
    const found = new Map<QuestionName, Findings>()
    for (const name of options.questions) {
      console.log(`${name} …`)
      found.set(name, await questions[name](stage, options))
    }
    return found
  } finally {
    process.off('SIGINT', interrupted)
    await stage.stop()
  }
}
