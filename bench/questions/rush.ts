import { storeCategories } from '../../src/domain/stores/store-messages.ts'
import { cpuMicrosOf, cpuMicrosOfFamily } from '../measure/cpu-time.ts'
import { HelperProcess } from '../stage/helper-process.ts'
import type { RushCalls, RushHeard, RushStages } from '../load/rush-calls.ts'
import { defineQuestion } from '../question.ts'
import { rowOf, type Measured } from '../measure/rows.ts'
import { checkRush } from './rush-checks.ts'
import { rushUnits, seedRushStores } from './rush-stores.ts'
import type { Stage } from '../stage/stage.ts'
import { nameWords } from '../stage/store-seeding.ts'
import {
  coresOf,
  figureOf,
  metered,
  type Curve,
  type Figure,
  type Findings,
  type Window,
} from '../measure/turn.ts'

/**
 * What a load test of a store front with the same stages was published with: 5,000 virtual users for six minutes, of a
 * machine and a network that are not ours. Told beside ours, never as something that was measured here.
 */
const published = { name: 'published, elsewhere: 5,000 users', perSecond: 362, meanMs: 6_170 }
const goals = { p99Ms: 250, ofPublished: 10 }

const rushOptions = {
  minute: {
    about: 'seconds that stand for one minute of the stages',
    quick: 2.5,
    full: 15,
    least: 0.5,
    most: 60,
  },
  rate: {
    about: 'requests a second while all of the load, or of the spike, are there',
    quick: 3_700,
    full: 3_700,
    least: 10,
    most: 50_000,
  },
  users: { about: 'users of the load', quick: 5_000, full: 5_000, least: 50, most: 15_000 },
  spike: { about: 'users of the spike', quick: 3_000, full: 10_000, least: 50, most: 15_000 },
  stores: { about: 'stores there are', quick: 5_000, full: 5_000, least: 1_000, most: 500_000 },
  sales: { about: 'stores in which a sale is open', quick: 20, full: 20, least: 1, most: 200 },
}
type Options = Readonly<Record<keyof typeof rushOptions, number>>

const smokeUsers = 50
const guestConnections = 128

export const rush = defineQuestion({
  name: 'rush',
  about: 'how a store front answers a crowd that comes within a minute: looking around, searching, applying',
  options: rushOptions,
  ask: async (bench, options) => {
    const stage = await bench.open({ accounts: 1 })
    const crowd = new HelperProcess<RushCalls>(new URL('../load/rush-program.ts', import.meta.url))
    try {
      return await new RushQuestion(stage, crowd, options).ask()
    } finally {
      await crowd.stop()
    }
  },
})

interface Run {
  readonly name: string
  readonly users: number
  /** In minutes. */
  readonly stages: RushStages
  readonly lists: boolean
}

interface Ran {
  readonly run: Run
  readonly heard: RushHeard
  readonly figures: readonly Figure[]
}

class RushQuestion {
  readonly #stage: Stage
  readonly #crowd: HelperProcess<RushCalls>
  readonly #options: Options
  readonly #windows: Window[] = []
  #guests = 0

  constructor(stage: Stage, crowd: HelperProcess<RushCalls>, options: Options) {
    this.#stage = stage
    this.#crowd = crowd
    this.#options = options
  }

  async ask(): Promise<Findings> {
    const { stores, sales, users, spike } = this.#options
    const { port, organiserKey } = this.#stage.server
    const town = await seedRushStores(this.#stage, { stores, sales })
    const count = smokeUsers + users + spike
    await this.#crowd.ask('guests', { port, connections: guestConnections, count, organiserKey })
    const short = { up: 1, hold: 1, down: 1 }
    const runs: Run[] = [
      { name: 'smoke', users: smokeUsers, stages: short, lists: true },
      { name: 'load', users, stages: { up: 2, hold: 6, down: 2 }, lists: true },
      { name: 'spike', users: spike, stages: short, lists: false },
    ]
    const ran: Ran[] = []
    for (const run of runs) ran.push(await this.#run(run, town.stores))
    return {
      sides: [],
      rows: ran.flatMap((one) => this.#rows(one)),
      curves: [curveOf(ran)],
      figures: ran.flatMap(({ figures }) => figures),
      checks: await checkRush(
        this.#stage,
        town.sales,
        ran.map(({ run, heard }) => ({ name: run.name, users: run.users, heard })),
      ),
      notes: {
        published,
        ran: ran.map(({ run, heard: { booked, ...heard } }) => ({ run, booked: booked.length, ...heard })),
      },
      windows: this.#windows,
    }
  }

  async #run(run: Run, stores: RushCalls['rush']['asked']['stores']): Promise<Ran> {
    const { minute, rate, users } = this.#options
    const { server, stores: databases } = this.#stage
    const { up, hold, down } = run.stages
    // A few users ask as often as they would among many.
    const perSecond = run.name === 'smoke' ? (rate / users) * run.users : rate
    const { result, usedMicros, ...window } = await metered(
      {
        server: () => cpuMicrosOf(server.pid),
        crowd: () => cpuMicrosOf(this.#crowd.pid),
        PostgreSQL: () => cpuMicrosOfFamily(databases.postgres?.pid ?? 0),
        Redis: () => cpuMicrosOf(databases.redis?.pid ?? 0),
      },
      () =>
        this.#crowd.ask('rush', {
          port: server.port,
          users: run.users,
          firstGuest: this.#guests,
          stages: { up: up * minute, hold: hold * minute, down: down * minute },
          perSecond,
          lists: run.lists,
          stores,
          words: nameWords,
          categories: storeCategories,
          units: rushUnits,
          seed: 1,
        }),
    )
    this.#guests += run.users
    this.#windows.push({ name: run.name, ...window })
    const cores = Object.entries(usedMicros).map(([name, used]) =>
      figureOf(`${run.name}: ${name}, of one core`, 'cores', [coresOf(used, window)]),
    )
    return { run, heard: result, figures: [...cores, ...stepFigures(run, result)] }
  }

  #rows({ run, heard }: Ran): Measured[] {
    const { minute } = this.#options
    const { plateau, errors } = heard
    const { up, hold, down } = run.stages
    const name = `${run.name}, ${run.users.toLocaleString('en')} users, ${up}/${hold}/${down} min of ${minute} s`
    const p99 = rowOf({
      metric: `${name}: p99`,
      unit: 'ms',
      ours: [plateau.p99Ms],
      goal: { of: 'ours', most: goals.p99Ms },
    })
    const wrong = rowOf({
      metric: `${name}: errors`,
      unit: 'errors',
      ours: [errors],
      goal: { of: 'ours', most: 0 },
    })
    if (run.name === 'smoke') return [p99, wrong]
    return [
      p99,
      rowOf({
        metric: `${name}: requests`,
        unit: 'a second',
        ours: [plateau.perSecond],
        peer: { name: published.name, figures: [published.perSecond] },
        goal: { of: 'peer', least: goals.ofPublished },
      }),
      rowOf({
        metric: `${name}: answer on average`,
        unit: 'ms',
        ours: [plateau.meanMs],
        peer: { name: published.name, figures: [published.meanMs] },
      }),
      wrong,
    ]
  }
}

function stepFigures({ name }: Run, { plateau, seconds: _, refusals, booked }: RushHeard): Figure[] {
  return [
    ...Object.entries(plateau.bySteps).map(([step, { p99Ms }]) =>
      figureOf(`${name}: p99 of ${step}`, 'ms', [p99Ms]),
    ),
    ...Object.entries(refusals).map(([code, count]) => figureOf(`${name}: refused, ${code}`, '', [count])),
    figureOf(`${name}: booked`, '', [booked.length]),
  ]
}

function curveOf(ran: readonly Ran[]): Curve {
  const lines = ran.map(({ run, heard }) => ({
    name: `${run.name}, p99`,
    points: heard.seconds
      .map(({ p99Ms }, second) => [second, p99Ms] as const)
      .filter((_, second) => (heard.seconds[second]?.count ?? 0) > 0),
  }))
  return {
    title: 'The 99th of a hundred answers, second by second',
    x: { name: 'since the first came', unit: 's' },
    y: { name: 'from due to answered', unit: 'ms' },
    isLog: false,
    lines,
    note: 'A crowd that grows opens connections and asks for what nobody has asked in the last second; who has come stays within what is remembered.',
  }
}
