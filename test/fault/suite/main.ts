import { inGroups, oneOf, type Fault, type RedisShape } from './fault.ts'
import { faults, faultsOf } from './faults.ts'
import { guards } from './guard-list.ts'
import { copyProgram, takeOut, type Guard } from './guards.ts'
import { seededRandom } from '../../../src/crowd/seeded-random.ts'
import { faultsHelp, parseFaultOptions, type FaultOptions } from './options.ts'
import { PromiseTable } from './promise-table.ts'
import { promiseTitles, type Breach } from './promises.ts'
import { roundLines } from './report.ts'
import { runRound, type RoundPlan } from './round.ts'
import { judgePutOff, lateAnswers } from './slow-provider.ts'
import { World } from './world.ts'
import { measureTimes } from '../times/times.ts'

/** Faults of one round, and how many of them come together. */
const form = { perRound: 19, together: 4 }

const beganMs = performance.now()
const say = (line: string): void => void process.stdout.write(`${line}\n`)
/** Under a heading that says when. */
const sayWhen = (line: string): void => say(`${Math.round((performance.now() - beganMs) / 1_000)} s: ${line}`)

// Whatever was started is ended with this program, however it ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 1
})
// Connections that say goodbye need not be waited for.
process.exit()

async function main(argv: readonly string[]): Promise<number> {
  const options = parseFaultOptions(argv)
  if (options === 'help') {
    say(faultsHelp)
    return 0
  }
  if (options.times) {
    const { passed, failed } = await measureTimes({ only: options.only, say })
    say(`\n${passed} passed, ${failed} failed`)
    return failed === 0 ? 0 : 1
  }
  say(`seed ${options.seed}`)
  return options.without === undefined ? await breakEverything(options) : await judgeTheJudge(options)
}

async function breakEverything(options: FaultOptions): Promise<number> {
  const table = new PromiseTable()
  const shapes = (['one', 'sentinels', 'cluster'] as const).filter(
    (shape) => wantedOf(shape, options).length > 0,
  )
  if (shapes.length === 0) throw new Error(`no fault has a name with ${options.only} in it`)
  const { program, remove } = await copyProgram()
  for (const shape of shapes) {
    const world = await World.make({ program, shape, log: say })
    sayWhen(`a world of ${shape} stands`)
    try {
      for (const plan of plansOf(shape, { ...options, minutes: options.minutes / shapes.length })) {
        const report = await runRound(world, plan)
        roundLines(report).forEach(say)
        sayWhen('the round is over')
        table.add(report)
      }
      await judgeLater(world, table, options.seed)
    } finally {
      await world.end()
    }
  }
  await remove()
  say('')
  table.lines().forEach(say)
  const { passed, failed } = table.counts
  say(`\n${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

/** What the payment provider answers long after a round is over. */
async function judgeLater(world: World, table: PromiseTable, seed: number): Promise<void> {
  const judged = await judgePutOff(world)
  if (judged === undefined) return
  const { charges, breaches } = judged
  const kept = charges === 0 ? 'NOTHING WAS SHOWN' : 'all kept'
  say(`${charges} charges were answered after minutes: ${breaches.length === 0 ? kept : 'BREACHES'}`)
  breaches.forEach(({ promise, what }) =>
    say(`  ${promise} ${promiseTitles[promise - 1]}: ${what} (seed ${seed})`),
  )
  // With none, nothing was shown.
  table.addLater(lateAnswers, 5, charges === 0 || breaches.length > 0)
}

function wantedOf(shape: RedisShape, { only = '' }: FaultOptions): Fault[] {
  const texts = only.split('|')
  return faultsOf[shape].own.filter(({ name }) => texts.some((text) => name.includes(text)))
}

/** Each fault once, in an order of chance, some at a time; with minutes, on and on, alone, some at a time, and all of a round at once. */
function* plansOf(shape: RedisShape, options: FaultOptions): Generator<RoundPlan> {
  const { minutes, seed, buyers } = options
  const random = seededRandom(seed, 1)
  const untilMs = Date.now() + minutes * 60_000
  let number = 0
  do {
    const own = shuffled(wantedOf(shape, options), random)
    const met = own.flatMap((fault) => [fault, ...oneFrom(faultsOf[shape].meets, random)])
    for (const some of inGroups(met, form.perRound)) {
      // Where Redis is several, the one that is its own and one that meets it.
      const several = shape === 'one' ? form.together : 2
      const together = minutes > 0 ? ([1, several, some.length][number % 3] ?? 1) : several
      yield { number: ++number, seed, buyers, faults: some, together }
      if (minutes > 0 && Date.now() > untilMs) return
    }
  } while (Date.now() < untilMs)
}

function oneFrom(all: readonly Fault[], random: () => number): Fault[] {
  return all.length === 0 ? [] : [oneOf(all, random)]
}

/** Takes guards out, one at a time, and sees whether it is noticed. */
async function judgeTheJudge({ without, seed, buyers }: FaultOptions): Promise<number> {
  const taken = without === 'all' ? guards : guards.filter(({ name }) => name === without)
  if (taken.length === 0) throw new Error(`the guards are: ${guards.map(({ name }) => name).join(', ')}`)
  let missed = 0
  for (const guard of taken) {
    const isCaught = await runWithout(guard, { seed, buyers })
    say(`${guard.name}: ${isCaught ? 'caught' : 'NOT CAUGHT'}\n`)
    if (!isCaught) missed++
  }
  say(`${taken.length - missed} passed, ${missed} failed`)
  return missed === 0 ? 0 : 1
}

async function runWithout(guard: Guard, options: { seed: number; buyers: number }): Promise<boolean> {
  const { program, remove } = await takeOut(guard)
  const world = await World.make({ program, log: say })
  try {
    if (guard.statement !== undefined) await world.sql.unsafe(guard.statement)
    const some = guard.faults.map((name) => mustFind(name))
    for (let number = 1; number <= guard.rounds; number++) {
      const plan = { ...options, number, faults: some, together: guard.together ?? 1 }
      // A program without a guard may be too broken for there to be much to look at.
      const report = { ...(await runRound(world, plan)), unseen: [] }
      roundLines(report).forEach(say)
      if (report.breaches.some((breach) => isOf(guard, breach))) return true
    }
    return false
  } finally {
    await world.end()
    await remove()
  }
}

/** A program that cannot run without it has not been looked at, and something else that is broken is another matter. */
function isOf({ promises }: Guard, { promise, what }: Breach): boolean {
  return promises.includes(promise) && !what.includes('ended by itself')
}

function mustFind(name: string): Fault {
  const found = faults.find((fault) => fault.name === name)
  if (found === undefined) throw new Error(`there is no fault ${name}`)
  return found
}

function shuffled(all: readonly Fault[], random: () => number): Fault[] {
  return all
    .map((fault) => ({ fault, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ fault }) => fault)
}
