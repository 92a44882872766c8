import { setTimeout as wait } from 'node:timers/promises'
import { systemTime, type Fetch, type Time } from '../../../src/client/client-ports.ts'
import { runCrowd } from '../../../src/crowd/crowd.ts'
import { keepAliveFetch } from '../../../src/crowd/keep-alive-fetch.ts'
import { NodeSocket } from '../../../src/crowd/node-socket.ts'
import { seededRandom } from '../../../src/crowd/seeded-random.ts'
import type { Fault } from './fault.ts'
import { CallHistory } from './history.ts'
import { judgeLedger } from './ledger.ts'
import { FickleBuyers } from './fickle-buyers.ts'
import { GreedyBuyers } from './greedy-buyers.ts'
import { judgeAnswers } from './judge-answers.ts'
import { judgeUnits } from './judge-units.ts'
import { LateOrders } from './late-orders.ts'
import { withOddCards } from './odd-cards.ts'
import { unseen } from './grounds.ts'
import { judgedByCrowd, judgedTogether, type Breach, type Judged, type Looked } from './promises.ts'
import { reloading } from './reloads.ts'
import { replaying } from './replays.ts'
import { RestlessViewers } from './restless-viewers.ts'
import { capacitiesOf, closeSales, openSales, type RoundSale } from './sales.ts'
import { StuckReaders } from './stuck-readers.ts'
import { orderRows, tenuresOf, type TenureSources } from './tenures.ts'
import { ToldPositions } from './told-positions.ts'
import { Viewers } from './viewers.ts'
import type { World } from './world.ts'

export interface RoundPlan {
  readonly number: number
  readonly seed: number
  readonly buyers: number
  readonly faults: readonly Fault[]
  /** So many of them go on at once: when one is over the next begins. */
  readonly together: number
}

export interface RoundReport {
  readonly plan: RoundPlan
  readonly breaches: readonly Breach[]
  /** Promises of which nothing was shown. */
  readonly unseen: readonly Breach[]
  readonly looked: Looked
  /** Faults that came to no end, because of another one. */
  readonly cutShort: readonly CutShort[]
  readonly history: CallHistory
  readonly booked: number
}

export interface CutShort {
  readonly name: string
  readonly why: string
}

/** Buyers think and wait by a clock that runs so many times as fast. */
const haste = 3
const hastened: Time = {
  nowMs: () => systemTime.nowMs(),
  wait: (ms, signal) => systemTime.wait(ms / haste, signal),
}
/** What is on sale has been read, and the crowd comes, before anything breaks. */
const firstMs = 2_000
/** Before a fault, at the most. */
const pauseMs = 1_500
/** Before a fault that comes alone: settings and leases are heard of by then. */
const quietMs = 2_500
/** Payments that are under way longer are judged without their outcome. */
const settlingMs = 10_000
/** A fault that takes longer is worth a line. */
const longMs = 20_000
/** What is left of the crowd after the last fault is sent home after this; later where so few were let in that it shows nothing. */
const lastMs = 10_000
const lastMaxMs = 120_000
const letInLeast = 60

/** A crowd comes to new sales while things break; then everything is mended, and what happened is judged. */
export async function runRound(world: World, plan: RoundPlan): Promise<RoundReport> {
  const history = new CallHistory(() => Date.now())
  const epochMs = Date.now()
  const sales = await openSales(world)
  world.sales = sales
  world.narrowings = []
  world.losses = []
  const { fetch: plain, close } = keepAliveFetch({ connectionsMax: 200, sendsAgain: false })
  const positions = new ToldPositions()
  const viewers = new Viewers(world, sales, { fetch: plain, positions })
  const restless = new RestlessViewers(world, sales, { seed: plan.seed, fetch: plain, positions })
  const stuck = new StuckReaders(world, sales, Math.ceil(plan.buyers / 2))
  const recorded = history.recorded(plain)
  const late = new LateOrders(recorded)
  const fickle = new FickleBuyers(world, sales, { seed: plan.seed, fetch: recorded, time: hastened })
  const greedy = new GreedyBuyers(world, sales, { seed: plan.seed, fetch: recorded, time: hastened })
  const sendHome = new AbortController()
  const arrival = countdown(sales.length)
  const breaking = arrival.over
    .then(() => breakThings(world, plan, history))
    .then(async (broken) => {
      await enoughToSee(world, sales, sendHome.signal)
      sendHome.abort()
      return broken
    })
  breaking.catch(() => sendHome.abort())
  try {
    const replayed = replaying(late.fetch, seededRandom(plan.seed, 7))
    const urls = world.edges.map(({ url }) => url)
    const reloaded = reloading(replayed, { urls, random: seededRandom(plan.seed, 9) })
    const fetch = withOddCards(reloaded, seededRandom(plan.seed, 8))
    const reports = await visitAll(world, plan, {
      sales,
      fetch,
      signal: sendHome.signal,
      onOffers: arrival.one,
    })
    sendHome.abort()
    const cutShort = await breaking
    const losses = world.losses.map(({ fromMs, toMs }) => ({
      fromMs: fromMs - epochMs,
      toMs: toMs - epochMs,
    }))
    restless.stop()
    await Promise.all([fickle.stop(), greedy.stop()])
    // Tokens and holds that nobody used end, and what could not be paid is given up.
    const judged = judgedTogether([
      ...reports.map(({ verdict }) => judgedByCrowd(verdict)),
      await settled(() => judgeLedger(world, sales)),
      await judgeHistory(world, sales, { calls: history.calls, losses, epochMs }),
      { breaches: await viewers.judge(sales), looked: {} },
      positions.judged,
      { breaches: restless.breaches, looked: {} },
      { breaches: world.servers.flatMap(({ falls }) => fallen(falls.splice(0))), looked: {} },
    ])
    const booked = await bookedIn(world, sales)
    return { plan, ...judged, unseen: unseen(judged.looked), cutShort, history, booked }
  } finally {
    late.stop()
    void fickle.stop()
    void greedy.stop()
    viewers.stop()
    restless.stop()
    stuck.stop()
    close()
    await closeSales(world, sales)
  }
}

const fallen = (falls: readonly string[]): Breach[] => falls.map((what) => ({ promise: 4, what }))

async function judgeHistory(
  world: World,
  sales: readonly RoundSale[],
  sources: Omit<TenureSources, 'orders'>,
): Promise<Judged> {
  const orders = await orderRows(world, sales)
  const tenures = tenuresOf({ ...sources, orders })
  return judgedTogether([
    judgeUnits(tenures, await capacitiesOf(world, sales)),
    judgeAnswers(sources.calls, { orders, epochMs: sources.epochMs }),
  ])
}

/** Resolves with what came to no end. */
async function breakThings(world: World, plan: RoundPlan, history: CallHistory): Promise<CutShort[]> {
  const random = seededRandom(plan.seed, 1_000 + plan.number)
  const cutShort: CutShort[] = []
  await wait(firstMs)
  const one = async (fault: Fault, chance: () => number): Promise<void> => {
    history.note(`${fault.name}: begins`)
    const fromMs = history.sinceMs
    // It goes on with what is left of the round; a fault that came to no end counts as a failure.
    const error = await fault.run(world, chance).then(
      () => undefined,
      (reason: unknown) => (reason instanceof Error ? reason.message : JSON.stringify(reason)),
    )
    if (error !== undefined) cutShort.push({ name: fault.name, why: error })
    history.note(`${fault.name}: is over`)
    const lastedMs = history.sinceMs - fromMs
    if (lastedMs > longMs) world.log(`${fault.name} took ${Math.round(lastedMs / 1_000)} s`)
  }
  const all = plan.faults.map((fault) => ({ fault, chance: seededRandom(random() * 2 ** 31, 0) }))
  const coming = all.filter(({ fault }) => fault.alone !== true).values()
  const oneAfterAnother = async (): Promise<void> => {
    for (const { fault, chance } of coming) {
      await wait(chance() * pauseMs)
      await one(fault, chance)
    }
  }
  await Promise.all(Array.from({ length: plan.together }, oneAfterAnother))
  await world.mend()
  for (const { fault, chance } of all.filter((each) => each.fault.alone === true)) {
    await wait(quietMs)
    await one(fault, chance)
    await world.mend()
  }
  history.note('everything is mended')
  return cutShort
}

async function enoughToSee(world: World, sales: readonly RoundSale[], signal: AbortSignal): Promise<void> {
  const letIn = async (): Promise<number> => {
    const [row] = await world.sql<{ count: number }[]>`
      select count(*)::int as count from admissions where sale_id = any(${sales.map(({ id }) => id)})`
    return row?.count ?? 0
  }
  const untilMs = Date.now() + lastMaxMs
  await wait(lastMs, undefined, { signal }).catch(() => undefined)
  while (!signal.aborted && Date.now() < untilMs && (await letIn()) < letInLeast) await wait(500)
}

/** Resolves when it has been counted down. */
function countdown(from: number): { readonly over: Promise<void>; readonly one: () => void } {
  let left = from
  let end = (): void => undefined
  const over = new Promise<void>((resolve) => (end = resolve))
  return { over, one: () => --left === 0 && end() }
}

async function visitAll(
  world: World,
  { seed, number, buyers }: RoundPlan,
  options: { sales: readonly RoundSale[]; fetch: Fetch; signal: AbortSignal; onOffers: () => void },
) {
  return await Promise.all(
    options.sales.map(({ id }, index) =>
      runCrowd({
        urls: world.edges.map(({ url }) => url),
        organiserKey: world.organiserKey,
        buyers: Math.ceil(buyers / options.sales.length),
        saleId: id,
        seed: seed + 31 * number + index,
        fetch: options.fetch,
        WebSocket: NodeSocket,
        time: hastened,
        signal: options.signal,
        settlingMs,
        onPhase: ({ name }) => name === 'guests' && options.onOffers(),
      }),
    ),
  )
}

/** What is still under way when it is looked at first gets a while to come to its end. */
async function settled(judge: () => Promise<Judged>): Promise<Judged> {
  for (let looks = 0; ; looks++) {
    const judged = await judge()
    if (judged.breaches.length === 0 || looks === 40) return judged
    await wait(500)
  }
}

async function bookedIn({ sql }: World, sales: readonly RoundSale[]): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from bookings where sale_id = any(${sales.map(({ id }) => id)}) and status = 'booked'`
  return row?.count ?? 0
}
