import { setTimeout as wait } from 'node:timers/promises'
import { median } from '../../../bench/measure/series.ts'
import type { World } from '../suite/world.ts'
import { openBusySale } from './busy-sale.ts'
import type { Figure } from './figure.ts'
import { requestsBySecond, watchPostgres, watchRedis, type StoreWatch } from './store-counters.ts'
import { Traffic, type Answer } from './traffic.ts'

const tries = 3
const secondsBefore = 4
const awayMs = 7_000
/**
 * Whoever asks while it is away is answered within this, an order as `saving` after two seconds; and only who asked so long
 * before it was back is counted, so that no answer owes anything to that.
 */
const promptMs = 3_000
/** What is asked in these seconds after the store is back is compared to what was asked before. */
const secondsAfter = 6
/** So many times as much as before is no storm yet. */
const stormOver = 3

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
  /** When it was taken away, and given back. */
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
      values: each((one) =>
        percent(askedAway(one, false), (answer) => isPrompt(answer) && answer.status === 200),
      ),
      goal: { atLeast: 100 },
    },
    {
      what: `writes that are not done, answered 503 with Retry-After, ${whileAway}`,
      unit: '%',
      values: each((one) => percent(askedAway(one, true).filter(isNotDone), isPutOff)),
      goal: { atLeast: 100 },
    },
    {
      what: `writes done all the same ${whileAway}`,
      unit: '%',
      values: each((one) => percent(askedAway(one, true), (answer) => !isNotDone(answer))),
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
      goal: { atMost: stormOver },
    },
    {
      what: `connections begun in ${secondsAfter} s ${afterwards}, to those open before`,
      unit: '×',
      values: each((one) => one.connectionsAfter / one.openBefore),
      goal: { atMost: stormOver },
    },
  ]
}

async function absence(world: World, store: AwayStore): Promise<Absence> {
  const sale = await openBusySale(world)
  const traffic = new Traffic(sale.requests, sale.fetch)
  const before = store.watch()
  await wait(1_000)
  const requestsBefore = median(await requestsBySecond(before, { seconds: secondsBefore, isNew: false }))
  const { open: openBefore } = await before.counters()
  await before.close()
  const fromMs = performance.now()
  await store.away()
  await wait(awayMs)
  const toMs = performance.now()
  await store.back()
  const backMs = performance.now()
  const after = store.watch()
  const requestsAfter = await requestsBySecond(after, { seconds: secondsAfter, isNew: true })
  const requestsAfterMost = Math.max(...requestsAfter)
  const { connections: connectionsAfter } = await after.counters()
  await after.close()
  await traffic.stop()
  await sale.close()
  const { answers } = traffic
  const counted = { requestsBefore, requestsAfterMost, openBefore, connectionsAfter }
  return { answers, awayMs: [fromMs, toMs], backMs, ...counted }
}

/** By when it was asked, so that what hangs until the store is back is counted as well. */
function askedAway({ answers, awayMs: [fromMs, toMs] }: Absence, isWrite: boolean): Answer[] {
  return answers.filter(
    (answer) =>
      answer.request.isWrite === isWrite && answer.fromMs > fromMs && answer.fromMs < toMs - promptMs,
  )
}

const isPrompt = ({ fromMs, toMs }: Answer): boolean => toMs - fromMs <= promptMs
const isNotDone = (answer: Answer): boolean => !isPrompt(answer) || answer.status < 200 || answer.status > 299
const isPutOff = (answer: Answer): boolean =>
  isPrompt(answer) && answer.status === 503 && answer.hasRetryAfter

/** Of the writes that were refused. Infinity: one did not succeed any more. */
function msUntilWritten(one: Absence): number {
  const refused = new Set(
    askedAway(one, true)
      .filter(isNotDone)
      .map(({ request }) => request),
  )
  if (refused.size === 0) throw new Error('no write was refused')
  const since = [...refused].map((request) => {
    const done = one.answers.find(
      (answer) => answer.request === request && answer.toMs > one.backMs && !isNotDone(answer),
    )
    return (done?.toMs ?? Infinity) - one.backMs
  })
  return Math.max(...since)
}

function percent<T>(all: readonly T[], wanted: (one: T) => boolean): number {
  if (all.length === 0) throw new Error('nothing of the kind was asked')
  return (100 * all.filter(wanted).length) / all.length
}
