import { setTimeout as wait } from 'node:timers/promises'
import { CleanClone, type StartedClone } from '../stage/clean-clone.ts'
import { memoryOf, type Memory } from '../measure/memory-use.ts'
import { defineQuestion } from '../question.ts'
import { rowOf } from '../measure/rows.ts'
import { check, figureOf, type Check, type Findings } from '../measure/turn.ts'

const goals = { installSeconds: 60, answerSeconds: 10, restMb: 150, stopSeconds: 5 }
/** What createDemo makes. */
const demoSales = 2

const startOptions = {
  rounds: { about: 'times it is started, on new data each time', quick: 1, full: 3, least: 1, most: 20 },
  installs: { about: 'times it is installed', quick: 1, full: 2, least: 1, most: 20 },
  rest: {
    about: 'seconds that it is left alone before its memory is read',
    quick: 10,
    full: 10,
    least: 1,
    most: 600,
  },
}
type Options = Readonly<Record<keyof typeof startOptions, number>>

export const start = defineQuestion({
  name: 'start',
  about: 'how long it takes from a clone to the first answer, and what the server takes at rest',
  options: startOptions,
  ask: async (bench, options) => {
    const clone = await CleanClone.make()
    try {
      return await askStart(clone, options, (line) => bench.log(line))
    } finally {
      await clone.remove()
    }
  },
})

interface Started {
  readonly readySeconds: number
  readonly salesSeconds: number
  readonly rest: Memory
  readonly stopSeconds: number
  readonly checks: readonly Check[]
}

/** What the two commands of the README take: `npm ci`, then `npm start`, of what is committed. */
async function askStart(clone: CleanClone, options: Options, log: (line: string) => void): Promise<Findings> {
  const installs: number[] = []
  for (let round = 1; round <= options.installs; round++) {
    log(`npm ci of ${clone.commit} …`)
    installs.push((await clone.install()) / 1000)
  }
  const all: Started[] = []
  for (let round = 1; round <= options.rounds; round++) all.push(await startOnce(clone, round, options.rest))
  const mb = (read: (rest: Memory) => number) => all.map(({ rest }) => read(rest) / 1e6)
  const isWarm = 'with npm’s cache as it was'
  return {
    sides: [],
    rows: [
      rowOf({
        metric: `npm ci in a clean clone, ${isWarm}`,
        unit: 's',
        ours: installs,
        goal: { of: 'ours', most: goals.installSeconds },
      }),
      rowOf({
        metric: 'npm start, build included, to the first GET /api/v1/sales',
        unit: 's',
        ours: all.map(({ salesSeconds }) => salesSeconds),
        goal: { of: 'ours', most: goals.answerSeconds },
      }),
      rowOf({
        metric: `memory of the server process, ${options.rest} s after it and nobody there`,
        unit: 'MB',
        ours: mb(({ residentBytes }) => residentBytes),
        goal: { of: 'ours', most: goals.restMb },
      }),
      rowOf({
        metric: 'stop after SIGINT, stores included',
        unit: 's',
        ours: all.map(({ stopSeconds }) => stopSeconds),
        goal: { of: 'ours', most: goals.stopSeconds },
      }),
    ],
    figures: [
      figureOf(
        'npm start to the first GET /readyz',
        's',
        all.map(({ readySeconds }) => readySeconds),
      ),
      figureOf(
        'of the memory, its own (anonymous)',
        'MB',
        mb(({ anonymousBytes }) => anonymousBytes),
      ),
      figureOf(
        'of the memory, its share (PSS)',
        'MB',
        mb(({ shareBytes }) => shareBytes),
      ),
    ],
    checks: all.flatMap(({ checks }) => checks),
    notes: { commit: clone.commit },
    windows: [],
  }
}

async function startOnce(clone: CleanClone, round: number, restSeconds: number): Promise<Started> {
  const started = clone.start(`data-${round}`)
  try {
    return await judge(started, round, restSeconds)
  } finally {
    await started.end()
  }
}

async function judge(started: StartedClone, round: number, restSeconds: number): Promise<Started> {
  const ready = await started.answers('/readyz')
  const sales = await started.answers('/api/v1/sales')
  await wait(restSeconds * 1000)
  const rest = memoryOf(started.server)
  const stop = await started.interrupt()
  const { items = [] } = sales.body as { items?: readonly { status?: string }[] }
  const stopSeconds = stop.afterMs / 1000
  return {
    readySeconds: ready.afterMs / 1000,
    salesSeconds: sales.afterMs / 1000,
    rest,
    stopSeconds,
    checks: [
      check(`start ${round}: demo sales that are told`, demoSales, items.length),
      check(`start ${round}: exit code after SIGINT`, 0, stop.code ?? Number.NaN),
      {
        name: `start ${round}: it stops within ${goals.stopSeconds} s`,
        ok: stopSeconds <= goals.stopSeconds,
        detail: `${stopSeconds.toFixed(2)} s`,
      },
    ],
  }
}
