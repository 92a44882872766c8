import { setTimeout as wait } from 'node:timers/promises'
import { median } from '../../../bench/measure/series.ts'
import type { World } from '../suite/world.ts'
import { openBusySale } from './busy-sale.ts'
import type { Figure } from './figure.ts'
import { requestsBySecond, watchPostgres, watchRedis, type StoreWatch } from './store-counters.ts'
import { Traffic, type Answer } from './traffic.ts'

const tries = 3
const secondsBefore = 4
const awayMs = 4_000
/** What is asked in these seconds after the store is back is compared to what was asked before. */
const secondsAfter = 6

/** A store that can be taken away. */
interface AwayStore {
  readonly name: string
  away(): Promise<void>
  back(): Promise<void>
  watch(): StoreWatch
}

/** What one time without a store came to. */
interface Absence {
  readonly answers: readonly Answer[]
  /** Between these it was surely away. */
  readonly awayMs: readonly [number, number]
  readonly backMs: number
  readonly requestsBefore: number
  readonly requestsAfterMost: number
  readonly openBefore: number
  readonly connectionsAfter: number
}

/** What is answered while Redis is away, and how all goes on when it is back. */
export async function redisAway(world: World): Promise<Figure[]> {
  const { redis } = world.stores
  return await measure(world, {
    name: 'Redis',
    away: () => redis.kill(),
    back: () => redis.restart(),
    watch: () => watchRedis(world),
  })
}

/** The same of PostgreSQL. */
export async function postgresAway(world: World): Promise<Figure[]> {
  return await measure(world, {
    name: 'PostgreSQL',
    away: () => world.stores.killPostgres(),
    back: async () => {
      await world.stores.restartPostgres()
      await world.followPostgres()
    },
    watch: () => watchPostgres(world),
  })
}

async function measure(world: World, store: AwayStore): Promise<Figure[]> {
  const absences: Absence[] = []
  while (absences.length < tries) absences.push(await absence(world, store))
  const whileAway = `while ${store.name} is away`
  const afterwards = `after ${store.name} is back`
  const each = (value: (one: Absence) => number): number[] => absences.map(value)
  return [
    {
      what: `reads of sale, layout, map and page answered 200 ${whileAway}`,
      unit: '%',
      values: each((one) => percent(answersAway(one, false), ({ status }) => status === 200)),
      goal: { atLeast: 100 },
    },
    {
      what: `writes that are not done, answered 503 with Retry-After, ${whileAway}`,
      unit: '%',
      values: each((one) => percent(answersAway(one, true).filter(isNotDone), isPutOff)),
      goal: { atLeast: 100 },
    },
    {
      what: `writes done all the same ${whileAway}`,
      unit: '%',
      values: each((one) => percent(answersAway(one, true), (answer) => !isNotDone(answer))),
    },
    {
      what: `until each sort of write succeeds at each edge ${afterwards}`,
      unit: 'ms',
      values: each(msUntilWritten),
      goal: { atMost: 5_000 },
    },
    {
      what: `requests to it in the busiest second ${afterwards}, to those in a second before`,
      unit: '×',
      values: each((one) => one.requestsAfterMost / one.requestsBefore),
    },
    {
      what: `connections begun in ${secondsAfter} s ${afterwards}, to those open before`,
      unit: '×',
      values: each((one) => one.connectionsAfter / one.openBefore),
    },
  ]
}

async function absence(world: World, store: AwayStore): Promise<Absence> {
  const sale = await openBusySale(world)
  const traffic = new Traffic(sale.requests, sale.fetch)
  const before = store.watch()
  await wait(1_000)
  const requestsBefore = median(await requestsBySecond(before, secondsBefore))
  const { open: openBefore } = await before.counters()
  await before.close()
  const fromMs = performance.now()
  await store.away()
  await wait(awayMs)
  const toMs = performance.now()
  await store.back()
  const backMs = performance.now()
  const after = store.watch()
  const requestsAfterMost = Math.max(...(await requestsBySecond(after, secondsAfter)))
  const { connections: connectionsAfter } = await after.counters()
  await after.close()
  await traffic.stop()
  await sale.close()
  const { answers } = traffic
  const counted = { requestsBefore, requestsAfterMost, openBefore, connectionsAfter }
  return { answers, awayMs: [fromMs, toMs], backMs, ...counted }
}

/** Asked and answered, or given up, while the store was away. */
function answersAway({ answers, awayMs: [fromMs, toMs] }: Absence, isWrite: boolean): Answer[] {
  return answers.filter(
    (answer) => answer.request.isWrite === isWrite && answer.fromMs > fromMs && answer.toMs < toMs,
  )
}

const isNotDone = ({ status }: Answer): boolean => status < 200 || status > 299
const isPutOff = ({ status, hasRetryAfter }: Answer): boolean => status === 503 && hasRetryAfter

/** Of the writes that were refused. Infinity: one did not succeed any more. */
function msUntilWritten(one: Absence): number {
  const refused = new Set(
    answersAway(one, true)
      .filter(isNotDone)
      .map(({ request }) => request),
  )
  const since = [...refused].map((request) => {
    const done = one.answers.find(
      (answer) => answer.request === request && answer.toMs > one.backMs && !isNotDone(answer),
    )
    return (done?.toMs ?? Infinity) - one.backMs
  })
  return Math.max(0, ...since)
}

function percent<T>(all: readonly T[], wanted: (one: T) => boolean): number {
  return all.length === 0 ? 100 : (100 * all.filter(wanted).length) / all.length
}
