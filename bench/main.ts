import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StartError } from '../src/start-error.ts'
import { benchHelp, parseBenchOptions, UsageError, type BenchPlan } from './bench-options.ts'
import { profileLines } from './measure/profile.ts'
import type { Question } from './question.ts'
import { questions } from './all-questions.ts'
import { keep, linesOf, machine, tableLines } from './report/report.ts'
import { keepResults, type Results } from './report/results.ts'
import { setStage, type Stage } from './stage/stage.ts'
import { failedFindings, type Findings } from './measure/turn.ts'

const resultsFolder = fileURLToPath(new URL('./results', import.meta.url))
/** What is of one machine and one moment, and not in the repository. */
const localFolder = join(resultsFolder, 'local')

/** What ends a run before its time: nothing of it may live on. */
const endings = ['SIGINT', 'SIGTERM'] as const

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  const isExpected = error instanceof UsageError || error instanceof StartError
  process.stderr.write(`${isExpected ? error.message : String((error as Error).stack ?? error)}\n`)
  return 1
})

async function main(argv: readonly string[]): Promise<number> {
  const plan = parseBenchOptions(argv, questions)
  if (plan === 'help') {
    console.log(benchHelp(questions))
    return 0
  }
  const started = { machine: machine(), at: new Date().toISOString() }
  const { cpu, cores, node, loadAverage } = started.machine
  console.log(`${cores} × ${cpu}, Node ${node}, load average ${loadAverage.toFixed(1)}`)
  await mkdir(localFolder, { recursive: true })
  // Those of the full form are what is quoted, and no other run may stand in their place.
  const folder = plan.isWhole && plan.form === 'full' ? resultsFolder : localFolder
  const found = new Map<string, Findings>()
  for (const asked of plan.asked) {
    const findings = await answer(asked, plan)
    found.set(asked.question.name, findings)
    // After each question, so that a run that is cut off has told what it knew.
    await keepResults(folder, resultsOf(started, plan, found))
  }
  const results = resultsOf(started, plan, found)
  for (const line of tableLines(results.rows)) console.log(line)
  console.log(`\nkept in ${folder}: latest.json, index.html`)
  return results.wrong.length === 0 ? 0 : 1
}

async function answer(
  { question, values }: BenchPlan['asked'][number],
  { profile, form }: BenchPlan,
): Promise<Findings> {
  const beganMs = Date.now()
  console.log(`\n${question.name} …`)
  const findings = await ask(question, values, profile).catch(failedFindings)
  for (const line of linesOf(question.name, findings)) console.log(line)
  const seconds = Math.round((Date.now() - beganMs) / 1000)
  const file = await keep(localFolder, question.name, { options: { form, ...values }, findings })
  console.log(`  ${seconds} s, kept in ${file}`)
  if (profile) for (const line of await profileLines(localFolder, findings.windows)) console.log(line)
  return findings
}

/** The stages are left before anything is told: a profile is written when the server ends. */
async function ask(
  question: Question,
  values: Readonly<Record<string, number>>,
  profile: boolean,
): Promise<Findings> {
  const stages: Stage[] = []
  const stop = async (): Promise<void> => {
    for (const stage of stages.splice(0).toReversed()) await stage.stop()
  }
  const log = (line: string): void => console.log(`  ${line}`)
  const open = async (needs: Parameters<typeof setStage>[0]): Promise<Stage> => {
    const stage = await setStage(needs, { profileFolder: profile ? localFolder : undefined, log })
    stages.push(stage)
    return stage
  }
  const interrupted = (): void => void stop().finally(() => process.exit(1))
  for (const signal of endings) process.once(signal, interrupted)
  try {
    return await question.ask({ open, log }, values)
  } finally {
    for (const signal of endings) process.off(signal, interrupted)
    await stop()
  }
}

function resultsOf(
  started: { readonly machine: ReturnType<typeof machine>; readonly at: string },
  { form, asked }: BenchPlan,
  found: ReadonlyMap<string, Findings>,
): Results {
  const { commit, ...described } = started.machine
  const all = [...found]
  return {
    machine: described,
    at: started.at,
    commit,
    form,
    questions: asked.map(({ question: { name, about } }) => ({ name, about })),
    rows: all.flatMap(([question, { rows }]) => rows.map((row) => ({ question, ...row }))),
    curves: all.flatMap(([question, { curves = [] }]) => curves.map((curve) => ({ question, ...curve }))),
    wrong: all.flatMap(([question, { checks }]) =>
      checks.filter(({ ok }) => !ok).map(({ name, detail }) => ({ question, name, detail })),
    ),
  }
}
