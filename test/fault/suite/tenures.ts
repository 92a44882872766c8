import type { Call } from './history.ts'
import type { RoundSale } from './sales.ts'
import type { Tenure } from './unit-linearity.ts'
import type { World } from './world.ts'

/** A tenure of one place, of which unit it is. */
export interface UnitTenure extends Tenure {
  readonly sale: string
  readonly unit: string
}

export interface OrderRow {
  readonly id: string
  readonly hold: string
  readonly status: string
  readonly createdMs: number
  readonly endedMs: number | null
  readonly units: readonly { readonly sale: string; readonly unit: string }[]
}

/** What is known of a hold from the calls: each bound is the loosest that any of them gives. */
interface KnownHold {
  readonly sale: string
  readonly who: string
  readonly units: readonly { readonly unit: string; readonly quantity: number }[]
  readonly givenFromMs: number
  readonly givenByMs: number
  readonly expiresMs: number
}

/** Somewhere in this time Redis lost what it held, in the history's time. */
export interface Loss {
  readonly fromMs: number
  readonly toMs: number
}

export interface TenureSources {
  readonly calls: readonly Call[]
  readonly orders: readonly OrderRow[]
  readonly losses: readonly Loss[]
  /** When the history began. */
  readonly epochMs: number
}

/** Between the clock of the stores and ours, on one machine. */
const slackMs = 50

/** Everybody who had a place of a unit, as the answers to the calls say and as the orders in PostgreSQL do. */
export function tenuresOf({ calls, orders, losses, epochMs }: TenureSources): UnitTenure[] {
  const holds = knownHolds(calls, epochMs)
  const byHold = new Map(orders.map((order) => [order.hold, order]))
  const endings = endingsOf(calls)
  const held = [...holds].flatMap(([hold, known]) => {
    const order = byHold.get(hold)
    const lostMs = losses
      .filter(({ toMs }) => toMs >= known.givenFromMs)
      .reduce((first, { fromMs }) => Math.min(first, fromMs), Infinity)
    const letGoMs = endings
      .filter(
        ({ who, names, atMs }) => who === known.who && names(hold, known.sale) && atMs >= known.givenFromMs,
      )
      .reduce((first, { atMs }) => Math.min(first, atMs), known.expiresMs)
    const ownMs = Math.min(letGoMs, lostMs)
    const endsFromMs = order === undefined ? ownMs : orderEndMs(order, { epochMs, ownMs, lostMs })
    return placesOf(known, { hold, endsFromMs: endsFromMs - slackMs })
  })
  const unheard = orders.filter(({ hold }) => !holds.has(hold))
  return [
    ...held,
    // Of a hold nobody heard of, its order says that it was there.
    ...unheard.flatMap((order) => {
      const createdMs = order.createdMs - epochMs
      const endsFromMs = orderEndMs(order, { epochMs, ownMs: createdMs, lostMs: Infinity }) - slackMs
      const given = { givenFromMs: 0, givenByMs: createdMs + slackMs }
      return order.units.map(({ sale, unit }) => ({ hold: order.hold, sale, unit, endsFromMs, ...given }))
    }),
  ]
}

/** From its order on a hold ends as the order does, unless it was lost before the order was written. */
function orderEndMs(
  { status, createdMs, endedMs }: OrderRow,
  { epochMs, ownMs, lostMs }: { epochMs: number; ownMs: number; lostMs: number },
): number {
  // Decided by the sweep of forsaken holds: nothing of it was ever written.
  if (status === 'abandoned' || lostMs < createdMs - epochMs) return ownMs
  return endedMs === null ? Infinity : endedMs - epochMs
}

/** A place for each of its quantity. */
function placesOf(
  { sale, units, givenFromMs, givenByMs }: KnownHold,
  { hold, endsFromMs }: { hold: string; endsFromMs: number },
): UnitTenure[] {
  return units.flatMap(({ unit, quantity }) =>
    Array.from({ length: quantity }, () => ({ hold, sale, unit, givenFromMs, givenByMs, endsFromMs })),
  )
}

/** By their ids. However often a hold was asked for or told, it was given once, by the first answer. */
function knownHolds(calls: readonly Call[], epochMs: number): Map<string, KnownHold> {
  const known = new Map<string, KnownHold>()
  const firstAskedMs = new Map<string, number>()
  for (const { method, path, status, answer, atMs, endMs, who, key } of calls) {
    const sale = /^\/api\/v1\/sales\/([^/]+)\/holds$/.exec(path)?.[1]
    if (method !== 'POST' || sale === undefined) continue
    // The call that was heard may repeat one that was not.
    if (!firstAskedMs.has(key)) firstAskedMs.set(key, atMs)
    if (status !== 201 || endMs === undefined || answer === '') continue
    const { hold } = JSON.parse(answer) as {
      hold: { id: string; expiresAt: string; units: KnownHold['units'] }
    }
    const before = known.get(hold.id)
    known.set(hold.id, {
      sale,
      who,
      units: hold.units,
      givenFromMs: Math.min(before?.givenFromMs ?? Infinity, firstAskedMs.get(key) ?? atMs),
      givenByMs: Math.min(before?.givenByMs ?? Infinity, endMs),
      expiresMs: Math.max(before?.expiresMs ?? 0, Date.parse(hold.expiresAt) - epochMs),
    })
  }
  return known
}

interface Ending {
  readonly who: string
  readonly atMs: number
  readonly names: (hold: string, sale: string) => boolean
}

/** Calls that may have ended a hold from the moment at which they were sent, whatever was answered. */
function endingsOf(calls: readonly Call[]): Ending[] {
  return calls
    .filter(({ method }) => method === 'DELETE')
    .map(({ who, atMs, path }) => ({
      who,
      atMs,
      names: (hold, sale) => path.endsWith(`/holds/${hold}`) || path.endsWith(`/sales/${sale}/queue/me`),
    }))
}

/** All orders of these sales, with the places they had or have. */
export async function orderRows({ sql }: World, sales: readonly RoundSale[]): Promise<OrderRow[]> {
  return await sql<OrderRow[]>`
    select o.id, o.hold_id as hold, o.status, (extract(epoch from o.created_at) * 1000)::float8 as "createdMs",
      (extract(epoch from o.ended_at) * 1000)::float8 as "endedMs",
      coalesce(json_agg(json_build_object('sale', b.sale_id, 'unit', u.code)) filter (where b.id is not null), '[]') as units
    from orders o left join bookings b on b.order_id = o.id
      left join units u on u.sale_id = b.sale_id and u.unit_no = b.unit_no
    where o.sale_id = any(${sales.map(({ id }) => id)}) group by o.id`
}
