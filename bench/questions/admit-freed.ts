import { setTimeout as wait } from 'node:timers/promises'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { cpuMicrosOf } from '../measure/cpu-time.ts'
import { HelperProcess } from '../stage/helper-process.ts'
import type { Freed, FreedPlacesCalls } from '../load/freed-places-calls.ts'
import { rowOf } from '../measure/rows.ts'
import type { Stage } from '../stage/stage.ts'
import {
  check,
  coresOf,
  figureOf,
  metered,
  shares,
  sideOf,
  type Check,
  type Findings,
  type Turn,
  type Window,
} from '../measure/turn.ts'

export interface FreedOptions {
  readonly seconds: number
  readonly rounds: number
  readonly conns: number
  readonly inside: number
  readonly rate: number
}

interface FreedTurn {
  readonly freed: Freed
  readonly turn: Turn
  /** Of the server. */
  readonly cores: number
}

/** The pace is far above what is given back, so that it is room alone that is waited for. */
const ratePerMinute = 60_000
const warmUpSeconds = 2
/** The next tick of the gate, and its commit. */
const settledWithinMs = 5_000

/** How soon the next one in line has the token for a place that was given back. */
export async function askFreedPlaces(stage: Stage, options: FreedOptions): Promise<Findings> {
  const url = new URL('../load/freed-places-program.ts', import.meta.url)
  const crowd = new HelperProcess<FreedPlacesCalls>(url)
  try {
    return await new FreedPlacesQuestion(stage, options, crowd).ask()
  } finally {
    await crowd.stop()
  }
}

class FreedPlacesQuestion {
  readonly #stage: Stage
  readonly #options: FreedOptions
  readonly #crowd: HelperProcess<FreedPlacesCalls>
  readonly #windows: Window[] = []
  #sale = ''
  #order: readonly string[] = []
  #freed = 0

  constructor(stage: Stage, options: FreedOptions, crowd: HelperProcess<FreedPlacesCalls>) {
    this.#stage = stage
    this.#options = options
    this.#crowd = crowd
  }

  async ask(): Promise<Findings> {
    await this.#gather()
    await this.#open()
    await this.#free(warmUpSeconds)
    this.#windows.length = 0
    const turns: FreedTurn[] = []
    for (let round = 1; round <= this.#options.rounds; round++)
      turns.push(await this.#free(this.#options.seconds))
    const of = (pick: (freed: Freed) => number) => turns.map(({ freed }) => pick(freed))
    const metric = `freed place → token in hand, ${this.#options.conns} waiting`
    return {
      sides: [
        sideOf(
          'freed places',
          turns.map(({ turn }) => turn),
        ),
      ],
      rows: [
        rowOf({ metric: `${metric}, p50`, unit: 'ms', ours: of((freed) => freed.p50Ms) }),
        rowOf({
          metric: `${metric}, p99`,
          unit: 'ms',
          ours: of((freed) => freed.p99Ms),
          goal: { of: 'ours', most: 50 },
        }),
      ],
      figures: [
        figureOf(
          'freed place → token in hand, the longest',
          'ms',
          of((freed) => freed.mostMs),
        ),
        figureOf(
          'answer to who gave the place back, p99',
          'ms',
          of((freed) => freed.answerP99Ms),
        ),
        figureOf(
          'lateness of the load, p99',
          'ms',
          of((freed) => freed.lateP99Ms),
        ),
        figureOf(
          'server meanwhile',
          'cores',
          turns.map(({ cores }) => cores),
        ),
      ],
      checks: await this.#check(turns.map(({ freed }) => freed)),
      windows: this.#windows,
    }
  }

  /** Everybody joins while the gate is shut, and then listens. */
  async #gather(): Promise<void> {
    const { server, redis, createSale, changeSale } = this.#stage
    const { conns, inside: maxActive } = this.#options
    const { port, organiserKey } = server
    await this.#crowd.ask('guests', { port, connections: 128, count: conns, organiserKey })
    const queue = { ratePerMinute, maxActive, tokenTtlSeconds: 86_400 }
    this.#sale = await createSale({ dates: ['2030-01-01'], hours: ['10:00'], capacity: 100_000, queue })
    await changeSale(this.#sale, { status: 'paused' })
    const joined = await this.#crowd.ask('join', { port, connections: 64, sale: this.#sale })
    if (joined.statuses['201'] !== conns)
      throw new Error(`not all could join: ${JSON.stringify(joined.statuses)}`)
    this.#order = await redis.zrange(saleKeys(this.#sale).queue, 0, -1)
    await this.#crowd.ask('listen', { port, sale: this.#sale, order: this.#order })
  }

  async #open(): Promise<void> {
    const { inside: maxActive } = this.#options
    await this.#stage.changeSale(this.#sale, { status: 'open' })
    const { inside } = await this.#crowd.ask('insideAre', { count: maxActive, seconds: 30 })
    if (inside !== maxActive) throw new Error(`${inside} of ${maxActive} were let in at first`)
  }

  async #free(seconds: number): Promise<FreedTurn> {
    const { server, stores } = this.#stage
    const { rate } = this.#options
    const count = Math.round(seconds * rate)
    const meters = {
      server: () => cpuMicrosOf(server.pid),
      load: () => cpuMicrosOf(this.#crowd.pid),
      redis: () => cpuMicrosOf(stores.redis?.pid ?? 0),
    }
    const asked = { port: server.port, sale: this.#sale, perSecond: rate, count }
    const { result, usedMicros, ...window } = await metered(meters, () => this.#crowd.ask('free', asked))
    this.#windows.push({ ...window, name: 'freed places' })
    this.#freed += count
    const { p50Ms, p99Ms } = result
    const perSecond = (count / (window.toMicros - window.fromMicros)) * 1e6
    const turn = { perSecond, p50Ms, p99Ms, cpuMicros: shares(usedMicros, count) }
    return { freed: result, turn, cores: coresOf(usedMicros['server'], window) }
  }

  async #check(turns: readonly Freed[]): Promise<Check[]> {
    const heard = await this.#crowd.ask('heard', undefined)
    await this.#crowd.ask('leave', undefined)
    const rows = await this.#admissions()
    await this.#stage.closeSale(this.#sale)
    const letIn = this.#options.inside + this.#freed
    const sum = (pick: (freed: Freed) => number) => turns.reduce((total, freed) => total + pick(freed), 0)
    const measured = turns.length * Math.round(this.#options.seconds * this.#options.rate)
    const moved = rows.filter(({ account }, index) => account !== this.#order[index]).length
    return [
      check(
        'places given back in the turns',
        measured,
        sum((freed) => freed.freed),
      ),
      check(
        'places that led to no token in time',
        0,
        sum((freed) => freed.missing),
      ),
      check(
        'places to be given back by who had none',
        0,
        sum((freed) => freed.notInside),
      ),
      check('waiters who heard that they were let in', letIn, heard.admitted),
      check('waiters who heard it twice', 0, heard.admittedTwice),
      check('waiters who got no token with it', 0, heard.empty),
      check('waiters passed over', 0, heard.passedOver),
      check('connections cut off', 0, heard.cutOff),
      check('admissions in PostgreSQL', letIn, rows.length),
      check('admissions in another order than the line', 0, moved),
      check(
        'admissions ended in PostgreSQL',
        this.#freed,
        rows.filter((row) => row.closedAtMs < Infinity).length,
      ),
      check('most admissions open at once', this.#options.inside, mostOpen(rows)),
    ]
  }

  /** What PostgreSQL has, when the last ending is on disk. */
  async #admissions(): Promise<AdmissionRow[]> {
    for (const endMs = Date.now() + settledWithinMs; ; await wait(50)) {
      const rows = await this.#stage.sql<{ account: string; admittedAt: Date; closedAt: Date | null }[]>`
        select account_id as account, admitted_at as "admittedAt", closed_at as "closedAt" from admissions
        where sale_id = ${this.#sale} order by admitted_at, sequence`
      const isSettled = rows.filter(({ closedAt }) => closedAt !== null).length === this.#freed
      if (!isSettled && Date.now() < endMs) continue
      return rows.map(({ account, admittedAt, closedAt }) => ({
        account,
        admittedAtMs: admittedAt.getTime(),
        closedAtMs: closedAt?.getTime() ?? Infinity,
      }))
    }
  }
}

interface AdmissionRow {
  readonly account: string
  readonly admittedAtMs: number
  readonly closedAtMs: number
}

/** Both times are of the same clock, and a place is free before it is given anew: in one millisecond endings come first. */
function mostOpen(rows: readonly AdmissionRow[]): number {
  const changes = [
    ...rows.map(({ admittedAtMs }) => ({ atMs: admittedAtMs, by: 1 })),
    ...rows.map(({ closedAtMs }) => ({ atMs: closedAtMs, by: -1 })),
  ].toSorted((a, b) => a.atMs - b.atMs || a.by - b.by)
  let [open, most] = [0, 0]
  for (const { by } of changes) {
    open += by
    most = Math.max(most, open)
  }
  return most
}
