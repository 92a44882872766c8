import { setTimeout as wait } from 'node:timers/promises'
import { connectRedis } from '../../src/db/redis.ts'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import type { AvailabilitySnapshot } from '../../src/domain/units/unit-messages.ts'
import { createLog } from '../../src/log.ts'
import { HelperProcess } from '../stage/helper-process.ts'
import { openWide } from './line-opening.ts'
import type { StormBack, StormCalls } from '../load/storm-calls.ts'
import { freeLowPort } from '../stage/low-port.ts'
import { holders, openChangingSale, type MapChanges } from './map-changes.ts'
import { cpuMicrosOf } from '../measure/cpu-time.ts'
import { StatementLog } from '../measure/postgres-statements.ts'
import { defineQuestion, type Bench } from '../question.ts'
import { startServerProcess, type ServerProcess } from '../stage/server-process.ts'
import type { Stage } from '../stage/stage.ts'
import { figuresOf, rowsOf, statementsOfStorm, type Killed, type Storm } from './storm-findings.ts'
import { check, type Check, type Findings } from '../measure/turn.ts'

/** How long anybody may take to come back before they are given up. */
const patienceSeconds = 60
/** After the gate has opened, or after a storm, until nothing of it is left to be done. */
const calmMs = 2_000
const settleMs = 500
const stormOptions = {
  conns: {
    about: 'live connections: half wait in a line, half watch a map, half of each on event streams',
    quick: 10_000,
    full: 10_000,
    least: 4,
    most: 16_000,
  },
  rounds: { about: 'storms', quick: 1, full: 3, least: 1, most: 100 },
  seconds: {
    about: 'of calm before each storm, whose queries it is set beside',
    quick: 4,
    full: 6,
    least: 1,
    most: 600,
  },
  rate: { about: 'people let in a second', quick: 20, full: 20, least: 1, most: 1_000 },
  changes: { about: 'changes of the map a second', quick: 4, full: 4, least: 1, most: 100 },
  seats: { about: 'seats of the hall', quick: 2_400, full: 2_400, least: 100, most: 50_000 },
}

export const storm = defineQuestion({
  name: 'storm',
  about: 'how soon everybody is back after all connections were cut at once',
  options: stormOptions,
  ask: async (bench, options) => await askStorm(bench, options),
})

type Options = Readonly<Record<keyof typeof stormOptions, number>>

/** How soon does everybody know again where they stand, after all connections were cut at once, and after the server died? */
async function askStorm(bench: Bench, options: Options): Promise<Findings> {
  const env = { PORT: String(await freeLowPort()) }
  const stage = await bench.open({ accounts: holders, env })
  const crowd = new HelperProcess<StormCalls>(new URL('../load/storm-program.ts', import.meta.url))
  const log = createLog({ level: 'silent' })
  const redis = connectRedis({ url: stage.stores.redisUrl, name: 'bench-changes', log })
  try {
    const changes = await openChangingSale(stage, { seats: options.seats, redis })
    return await new StormQuestion(bench, options, { stage, crowd, changes }).ask()
  } finally {
    redis.disconnect()
    await crowd.stop()
  }
}

interface Parts {
  readonly stage: Stage
  readonly crowd: HelperProcess<StormCalls>
  readonly changes: MapChanges
}

class StormQuestion {
  readonly #bench: Bench
  readonly #options: Options
  readonly #parts: Parts
  readonly #checks: Check[] = []
  #notes: Record<string, unknown> = {}
  #sale = ''
  #order: readonly string[] = []

  constructor(bench: Bench, options: Options, parts: Parts) {
    this.#bench = bench
    this.#options = options
    this.#parts = parts
  }

  async ask(): Promise<Findings> {
    const { stage, crowd } = this.#parts
    const { rounds } = this.#options
    await this.#gather()
    const log = await StatementLog.begin(stage.sql)
    const moving = this.#keepMoving()
    await stage.changeSale(this.#sale, { status: 'open' })
    const storms: Storm[] = []
    for (let round = 1; round <= rounds; round++) {
      await wait(calmMs)
      storms.push(await this.#storm(`storm ${round}`, log))
    }
    await moving.stop()
    await stage.changeSale(this.#sale, { status: 'paused' })
    await wait(calmMs)
    await this.#checkMaps('after the storms')
    const { server, killed } = await this.#killServer()
    try {
      await this.#letAllIn()
      await crowd.ask('leave', undefined)
    } finally {
      await server.stop()
    }
    return {
      sides: [],
      rows: rowsOf(this.#options.conns, { storms, killed }),
      figures: figuresOf({ storms, killed }),
      checks: this.#checks,
      notes: this.#notes,
      windows: [],
    }
  }

  /** Everybody joins while the gate is shut, and listens; as many others watch the map. */
  async #gather(): Promise<void> {
    const { stage, crowd, changes } = this.#parts
    const { port, organiserKey } = stage.server
    const { conns, rate } = this.#options
    const waiters = Math.floor(conns / 2)
    await crowd.ask('guests', { port, organiserKey, connections: 128, count: waiters })
    const dates = Array.from({ length: 28 }, (_, day) => `2030-01-${String(day + 1).padStart(2, '0')}`)
    const queue = { ratePerMinute: rate * 60, maxActive: 1_000_000, tokenTtlSeconds: 86_400 }
    this.#sale = await stage.createSale({ dates, hours: ['10:00'], capacity: 100_000, queue })
    await stage.changeSale(this.#sale, { status: 'paused' })
    const joined = await crowd.ask('join', { port, connections: 64, sales: [this.#sale], seconds: 300 })
    if (joined.statuses['201'] !== waiters)
      throw new Error(`not all could join: ${JSON.stringify(joined.statuses)}`)
    this.#order = await this.#line()
    this.#bench.log(`${conns} connect …`)
    const viewers = conns - waiters
    await crowd.ask('gather', { port, line: this.#sale, order: this.#order, map: changes.sale, viewers })
  }

  /** The map changes until it is stopped. */
  #keepMoving(): { stop(): Promise<void> } {
    const { changes: perSecond } = this.#options
    let isOver = false
    const moving = (async () => {
      while (!isOver) await this.#parts.changes.run({ count: perSecond, perSecond })
    })()
    return {
      stop: async () => {
        isOver = true
        await moving
      },
    }
  }

  async #storm(name: string, log: StatementLog): Promise<Storm> {
    const { stage, crowd } = this.#parts
    const { seconds, rate } = this.#options
    const calmMark = await log.mark()
    await wait(seconds * 1000)
    const calm = await log.since(calmMark)
    this.#bench.log('all are cut off …')
    const [mark, usedMicros] = [await log.mark(), cpuMicrosOf(stage.server.pid)]
    const { cutAtMs } = await crowd.ask('cut', undefined)
    const back = await crowd.ask('back', { cutAtMs, seconds: patienceSeconds })
    const stormSeconds = (Date.now() - cutAtMs) / 1000
    const serverSeconds = (cpuMicrosOf(stage.server.pid) - usedMicros) / 1e6
    const meanwhile = await log.since(mark)
    const statements = statementsOfStorm({ calm, seconds, meanwhile, stormSeconds })
    const queries = statements.reduce((sum, { more }) => sum + Math.max(0, more), 0) / Math.max(1, back.back)
    this.#bench.log(`the last of them is back after ${(back.lastMs / 1000).toFixed(1)} s`)
    this.#notes = { ...this.#notes, [`${name}: what PostgreSQL was asked`]: statements }
    await this.#checkLine(name)
    const { wrong } = await crowd.ask('judge', { admittedAtMs: await this.#admittedAtMs(), perSecond: rate })
    this.#checkBack(name, back)
    this.#checks.push(check(`${name}: waiters told first what was not true`, 0, wrong))
    return { back, queries, serverSeconds }
  }

  /** The server dies while nothing moves, and another begins at its port: what everybody knows then can be compared. */
  async #killServer(): Promise<{ server: ServerProcess; killed: Killed }> {
    const { stage, crowd } = this.#parts
    const { pid, port } = stage.server
    this.#bench.log('the server is killed …')
    await crowd.ask('expectCut', undefined)
    const cutAtMs = Date.now()
    process.kill(pid, 'SIGKILL')
    const server = await startServerProcess({ ...stage.stores, env: { PORT: String(port) } })
    try {
      const startedMs = Date.now() - cutAtMs
      const back = await crowd.ask('back', { cutAtMs, seconds: patienceSeconds })
      this.#checkBack('killed', back)
      const { different } = await crowd.ask('comparePositions', { inLine: await this.#line() })
      this.#checks.push(check('killed: waiters told another position than Redis has', 0, different))
      await this.#checkLine('killed')
      await this.#checkMaps('killed')
      return { server, killed: { back, startedMs } }
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  async #letAllIn(): Promise<void> {
    const { stage, crowd } = this.#parts
    await stage.changeSale(this.#sale, { status: 'open' })
    await openWide(stage, { sale: this.#sale, perSecond: this.#options.rate })
    const heard = await crowd.ask('admittedAll', { seconds: patienceSeconds })
    const inOrder = await this.#admissions()
    const moved = inOrder.filter(({ account_id }, index) => account_id !== this.#order[index]).length
    const waiters = this.#order.length
    this.#checks.push(
      check('waiters who heard that they were let in', waiters, heard.admitted),
      check('waiters who heard of two admissions', 0, heard.admittedTwice),
      check('waiters who heard that they had no place', 0, heard.absent),
      check('changes of the map that did not follow', 0, heard.gaps),
      check('admissions in PostgreSQL', waiters, inOrder.length),
      check('admissions in another order than the line', 0, moved),
      check('changes of the map that were refused', 0, this.#parts.changes.refused),
    )
  }

  #checkBack(name: string, { cut, back }: StormBack): void {
    const { conns } = this.#options
    this.#checks.push(
      check(`${name}: connections that ended`, conns, cut),
      check(`${name}: back`, conns, back),
    )
  }

  /** Nobody lost their place: whoever was not let in stands where they stood. */
  async #checkLine(name: string): Promise<void> {
    const line = await this.#line()
    // Whoever is just being let in is not in the line any more, and in PostgreSQL a moment later.
    await wait(settleMs)
    const letIn = new Set((await this.#admissions()).map(({ account_id }) => account_id))
    const inLine = new Set(line)
    const lost = this.#order.filter((account) => !inLine.has(account) && !letIn.has(account)).length
    const rest = this.#order.filter((account) => inLine.has(account))
    const moved = line.filter((account, index) => account !== rest[index]).length
    this.#checks.push(
      check(`${name}: waiters who lost their place`, 0, lost),
      check(`${name}: waiters whose place in Redis is another one`, 0, moved),
    )
  }

  async #checkMaps(name: string): Promise<void> {
    const { stage, crowd, changes } = this.#parts
    const snapshot = (await stage.read(`/api/v1/sales/${changes.sale}/availability`)) as AvailabilitySnapshot
    const { different } = await crowd.ask('compareMaps', { snapshot, seconds: 20 })
    this.#checks.push(check(`${name}: viewers with another picture than the server's`, 0, different))
  }

  async #line(): Promise<string[]> {
    return await this.#parts.stage.redis.zrange(saleKeys(this.#sale).queue, 0, -1)
  }

  async #admissions(): Promise<{ account_id: string; admitted_at: Date }[]> {
    return await this.#parts.stage.sql<{ account_id: string; admitted_at: Date }[]>`
      select account_id, admitted_at from admissions
      where sale_id = ${this.#sale} order by admitted_at, sequence`
  }

  /** When each of the line was let in; NaN of whom is still in it. */
  async #admittedAtMs(): Promise<number[]> {
    const atMs = new Map(
      (await this.#admissions()).map(({ account_id, admitted_at }) => [account_id, admitted_at.getTime()]),
    )
    return this.#order.map((account) => atMs.get(account) ?? Number.NaN)
  }
}
