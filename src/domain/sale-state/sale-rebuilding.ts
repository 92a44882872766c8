import { presentOutboxPosition, type OutboxPosition } from '../../db/outbox.ts'
import type { Sql } from '../../db/postgres.ts'
import { runInOrder, type Script } from '../../db/script.ts'
import { transaction } from '../../db/transaction.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { bindingAdmissions, lateLeaves, type Grant } from '../queue/admission-store.ts'
import type { Waiter } from '../queue/queue-store.ts'
import { standingPlaces, unitCapacities, type StandingPlace } from '../units/standing-store.ts'
import { saleFailure } from './sale-failures.ts'
import { saleKeys, type SaleKeyName } from './sale-keys.ts'
import { stateBegin, stateConfigure, stateOpen, stateWrite } from './sale-state-scripts.ts'
import type { SaleState } from './sale-state.ts'
import { raiseEpoch } from './sale-writer.ts'

export interface CatchUpOptions {
  readonly state: SaleState
  readonly saleId: string
  readonly fence: number
  /** Applies to the open state what was committed after a position. */
  readonly replay: (saleId: string, after: OutboxPosition) => Promise<unknown>
}

export interface RebuildOptions extends CatchUpOptions {
  readonly sql: Sql
  /** The sale's settings as fields of the state hash. */
  readonly settings: Readonly<Record<string, string | number>>
  /** How long nobody is admitted, so that the line can be put back. */
  readonly restoreMs: number
}

/** Where the line is lost altogether, an edge that is younger than this cannot have known it. */
const freshEdgeMs = 10_000

/**
 * Builds the Redis state of a sale from PostgreSQL under a new epoch: places from bookings that stand, tokens from
 * open admissions, the pace from the last minute's. The line is kept where Redis still has it, but for its last second.
 * @returns the new epoch
 * @throws FencedError another process has become the writer; nothing of its work is touched
 */
export async function rebuildSale(options: RebuildOptions): Promise<number> {
  const { sql, state, saleId, fence } = options
  const { runId } = state.serverOf(saleId)
  const { epoch, since } = await raiseEpoch(sql, { saleId, fence, storeRunId: runId })
  const call = caller(state, saleId, { epoch, run_id: runId, fence })
  const [now, kept] = (await call(stateBegin, {})) as [string, number]
  const nowMs = Number(now)
  const truth = await transaction(
    sql,
    async (tx) => ({
      position: await presentOutboxPosition(tx),
      places: await standingPlaces(tx, saleId),
      capacities: await unitCapacities(tx, saleId),
      admissions: await bindingAdmissions(tx, saleId),
      leaves: await lateLeaves(tx, saleId),
    }),
    { isolation: 'repeatable read', readOnly: true },
  )
  const portions = [
    ...unitPortions(truth.capacities, truth.places),
    ...accountPortions(truth.places),
    ...admissionPortions(truth.admissions, nowMs),
    ...unqueuePortions([...truth.admissions, ...truth.leaves]),
    statePortion(options.settings, truth, nowMs),
    beginningPortion(truth.position, since.getTime() - (kept === 1 ? 0 : freshEdgeMs)),
  ]
  await writeAll(portions, (portion) => call(stateWrite, { portion: JSON.stringify(portion) }))
  await call(stateOpen, { restore_ms: options.restoreMs })
  state.setEpoch(saleId, epoch)
  await catchUp(options, truth.position)
  return epoch
}

/**
 * Applies to a state that was opened what was committed since its truth was read. After the opening, not before: the relay
 * passes over a sale that is not open, so whatever it passed over must be older than this reading. The state says that this
 * is still to be done, for it may be cut off, or its process end.
 */
export async function catchUp(options: CatchUpOptions, after: OutboxPosition): Promise<void> {
  const { state, saleId, fence, replay } = options
  await replay(saleId, after)
  await state.run(stateConfigure, saleId, {
    fence,
    fields: JSON.stringify(['replay_after', '']),
    restored: 0,
  })
}

/** So many portions are under way together. */
const underWayMax = 4

/** In their order, the first alone: it brings the script with which all others come. */
async function writeAll(
  portions: readonly Portion[],
  write: (portion: Portion) => Promise<unknown>,
): Promise<void> {
  const [first, ...others] = portions
  if (first !== undefined) await write(first)
  for (let from = 0; from < others.length; from += underWayMax)
    await Promise.all(others.slice(from, from + underWayMax).map(write))
}

type Life = { readonly epoch: number; readonly run_id: string; readonly fence: number }

function caller(state: SaleState, saleId: string, life: Life) {
  return async <Arg extends string>(
    script: Script<SaleKeyName, Arg>,
    args: Readonly<Record<Exclude<Arg, keyof Life>, string | number>>,
  ) => {
    const all = { ...life, ...args } as Record<Arg, string | number>
    const server = state.serverOf(saleId)
    // Another one by now: it has not got what was written so far.
    if (server.runId !== life.run_id) throw new Problem(generalErrors.unavailable, { retryAfterSeconds: 1 })
    const keys = script.keys.map((name) => saleKeys(saleId)[name])
    const reply = await runInOrder(
      server.commands,
      script,
      keys,
      script.args.map((name) => all[name]),
    )
    if (typeof reply === 'number' && reply < 0) throw saleFailure(reply)
    return reply
  }
}

interface Portion {
  readonly hash?: Readonly<Record<string, readonly (string | number)[]>>
  readonly zset?: Readonly<Record<string, readonly (string | number)[]>>
  readonly list?: Readonly<Record<string, readonly string[]>>
  readonly unqueue?: readonly (readonly [string, string])[]
}

/** Values in one call: Lua cannot unpack more than some 8,000. */
const portionMax = 2000

function unitPortions(capacities: readonly number[], places: readonly StandingPlace[]): Portion[] {
  const taken = new Map<number, Set<number>>()
  for (const place of places) {
    const ordinals = taken.get(place.unitNo) ?? new Set<number>()
    taken.set(place.unitNo, ordinals.add(place.ordinal))
  }
  const left: number[] = []
  const next: number[] = []
  const spare: (string | number)[] = []
  capacities.forEach((capacity, unitNo) => {
    const ordinals = taken.get(unitNo)
    const highest = [...(ordinals ?? [])].reduce((most, ordinal) => Math.max(most, ordinal), 0)
    left.push(unitNo, capacity - (ordinals?.size ?? 0))
    if (highest > 0) next.push(unitNo, highest + 1)
    for (let ordinal = 1; ordinal < highest; ordinal++) {
      if (!ordinals?.has(ordinal)) spare.push(unitNo, `${unitNo}:${ordinal}`)
    }
  })
  const owners = places.flatMap((place) => [
    `${place.unitNo}:${place.ordinal}`,
    `${place.booked ? 's' : 'p'}:${place.orderId}`,
  ])
  return [
    ...portioned(left).map((values) => ({ hash: { left: values } })),
    ...portioned(next).map((values) => ({ hash: { next: values } })),
    ...portioned(spare).map((values) => ({ zset: { spare: values } })),
    ...portioned(owners).map((values) => ({ hash: { places: values } })),
  ]
}

function accountPortions(places: readonly StandingPlace[]): Portion[] {
  const masks = new Map<string, number>()
  const bought = new Map<string, number>()
  for (const { accountId, nth, booked } of places) {
    masks.set(accountId, (masks.get(accountId) ?? 0) + 2 ** (nth - 1))
    if (booked) bought.set(accountId, (bought.get(accountId) ?? 0) + 1)
  }
  return [
    ...portioned([...masks].flat()).map((values) => ({ hash: { accounts: values } })),
    ...portioned([...bought].flat()).map((values) => ({ hash: { bought: values } })),
  ]
}

/** Also those whose time is over by now: the first tick ends them, on disk too, and says so to whom it concerns. */
function admissionPortions(admissions: readonly (Grant & { open: boolean })[], nowMs: number): Portion[] {
  const open = admissions.filter((one) => one.open)
  const lately = admissions.filter((one) => one.admittedAtMs > nowMs - 60_000)
  const records = open.flatMap((one) => [
    one.accountId,
    `${one.sequence}:${one.expiresAtMs}:${one.admittedAtMs}`,
  ])
  const ends = open.flatMap((one) => [one.expiresAtMs, one.accountId])
  const pace = lately.map((one) => `${one.admittedAtMs}:1`)
  return [
    ...portioned(records).map((values) => ({ hash: { active: values } })),
    ...portioned(ends).map((values) => ({ zset: { ends: values } })),
    ...portioned(pace).map((values) => ({ list: { pace: values } })),
  ]
}

/** A line that came back from the append-only file may still hold people who were let in, or left, in the lost second. */
function unqueuePortions(gone: readonly Waiter[]): Portion[] {
  const named = gone.map((one) => [one.accountId, String(one.sequence)] as const)
  return portioned(named).map((values) => ({ unqueue: values }))
}

function statePortion(
  settings: RebuildOptions['settings'],
  truth: { capacities: readonly number[]; places: readonly StandingPlace[]; admissions: readonly Grant[] },
  nowMs: number,
): Portion {
  const total = truth.capacities.reduce((sum, capacity) => sum + capacity, 0)
  const fields = {
    ...settings,
    n: 0,
    total,
    free: total - truth.places.length,
    sold: truth.places.filter((place) => place.booked).length,
    credit: 0,
    credit_at: nowMs,
    pace_count: truth.admissions.filter((one) => one.admittedAtMs > nowMs - 60_000).length,
  }
  return { hash: { state: Object.entries(fields).flat() } }
}

/** What whoever writes next has to know of this rebuild, should it be another process. */
function beginningPortion({ xid, id }: OutboxPosition, knewLineBeforeMs: number): Portion {
  return { hash: { state: ['replay_after', `${xid}:${id}`, 'knew_line_before', knewLineBeforeMs] } }
}

function portioned<T>(values: readonly T[]): T[][] {
  const count = Math.ceil(values.length / portionMax)
  return Array.from({ length: count }, (_, index) =>
    values.slice(index * portionMax, (index + 1) * portionMax),
  )
}
