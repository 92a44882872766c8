import type { Call } from './history.ts'
import { knownHolds, type KnownHold } from './known-holds.ts'
import { firstOrdered, firstTold } from './orders-told.ts'
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
/** From the beginning of its transaction until an order is there for everybody, at the most: a COMMIT may be held. */
const commitMaxMs = 6_000
/** From when somebody asks for an order until its transaction begins, where nobody knows when that was. */
const savingMaxMs = 15_000

/** An order that is there, or was, in the history's time. */
interface WrittenOrder extends Pick<OrderRow, 'hold' | 'units'> {
  readonly askedMs: number
  readonly createdMs: number
  /** The first answer that tells of it as written; Infinity where none does. */
  readonly toldMs: number
  readonly writtenByMs: number
  readonly endsMs: number
}

/** The times of a tenure, and what it is. */
interface Stretch extends Pick<Tenure, 'givenFromMs' | 'givenByMs' | 'endsFromMs'> {
  readonly isOrdered: boolean
  /** It is of an order that was under way when Redis lost its hold: from the loss until it was written others may have held. */
  readonly contested: { readonly fromMs: number; readonly toMs: number } | undefined
}

/** Everybody who had a place of a unit, as the answers to the calls say and as the orders in PostgreSQL do. */
export function tenuresOf(sources: TenureSources): UnitTenure[] {
  const holds = knownHolds(sources.calls, sources.epochMs)
  const orders = writtenOrders(sources)
  const heard = new Set(holds.map(({ id }) => id))
  const all = [
    ...holds.flatMap((hold) =>
      stretchesOf(hold, orders.get(hold.id), sources.losses).flatMap((stretch) => placesOf(hold, stretch)),
    ),
    // Of a hold nobody heard of, its order says that it was there.
    ...[...orders.values()].flatMap((order) => {
      if (heard.has(order.hold)) return []
      const stretch = unheardStretch(order, sources.losses)
      return order.units.map((unit) => ({ ...unit, hold: order.hold, ...stretch }))
    }),
  ]
  return all.map((tenure) => conceded(tenure, all))
}

function writtenOrders({ calls, orders, epochMs }: TenureSources): Map<string, WrittenOrder> {
  const [told, asked] = [firstTold(calls), firstOrdered(calls)]
  // What was decided by the sweep of forsaken holds is abandoned: nothing of it was ever written.
  const written = orders.filter(({ status }) => status !== 'abandoned')
  const entries = written.map((row): [string, WrittenOrder] => {
    const { id, hold, units, endedMs } = row
    const createdMs = row.createdMs - epochMs
    const toldMs = told.get(id) ?? Infinity
    const order = {
      hold,
      units,
      askedMs: asked.get(hold) ?? createdMs - savingMaxMs,
      createdMs,
      toldMs,
      // Of what nobody was told it is known only that it was begun.
      writtenByMs: Number.isFinite(toldMs) ? Math.min(toldMs, createdMs + commitMaxMs) : createdMs,
      endsMs: endedMs === null ? Infinity : endedMs - epochMs,
    }
    return [hold, order]
  })
  return new Map(entries)
}

/**
 * A hold lasts until it ends, is let go of, or is lost with Redis; from its order on as long as the order does. Where it was
 * lost before the order was written, the order comes after it, and stands by itself.
 */
function stretchesOf(hold: KnownHold, order: WrittenOrder | undefined, losses: readonly Loss[]): Stretch[] {
  const { givenFromMs, givenByMs, endsMs } = hold
  const loss = firstLoss(losses, givenFromMs)
  const lostMs = loss?.fromMs ?? Infinity
  const held = {
    givenFromMs,
    givenByMs,
    endsFromMs: Math.min(endsMs, lostMs) - slackMs,
    isOrdered: false,
    contested: undefined,
  }
  if (order === undefined) return [held]
  if (loss === undefined || loss.fromMs >= order.writtenByMs)
    return [{ ...held, endsFromMs: order.endsMs - slackMs, isOrdered: true }]
  return [held, orderedStretch(order, loss)]
}

/** It was held at some time before it was written. */
function unheardStretch(order: WrittenOrder, losses: readonly Loss[]): Stretch {
  const loss = firstLoss(losses, order.askedMs)
  if (loss !== undefined && loss.fromMs < order.writtenByMs)
    return { ...orderedStretch(order, loss), givenFromMs: 0 }
  return {
    givenFromMs: 0,
    givenByMs: order.createdMs + slackMs,
    endsFromMs: order.endsMs - slackMs,
    isOrdered: true,
    contested: undefined,
  }
}

function orderedStretch(
  { askedMs, createdMs, toldMs, writtenByMs, endsMs }: WrittenOrder,
  loss: Loss,
): Stretch {
  return {
    givenFromMs: createdMs - slackMs,
    givenByMs: toldMs,
    endsFromMs: endsMs - slackMs,
    isOrdered: true,
    // Whoever orders what is lost already is to be refused.
    contested: askedMs <= loss.toMs ? { fromMs: loss.fromMs, toMs: writtenByMs } : undefined,
  }
}

function firstLoss(losses: readonly Loss[], fromMs: number): Loss | undefined {
  return losses.filter(({ toMs }) => toMs >= fromMs).toSorted((a, b) => a.fromMs - b.fromMs)[0]
}

/**
 * A place whose order was under way when Redis lost it is free until PostgreSQL has the order. Who held it meanwhile is
 * refused when ordering: no breach, as long as it is sold once.
 */
function conceded(
  { isOrdered, contested: _, ...tenure }: UnitTenure & Stretch,
  all: readonly (UnitTenure & Stretch)[],
): UnitTenure {
  const isLost = all.some(
    ({ contested, sale, unit, hold }) =>
      contested !== undefined &&
      hold !== tenure.hold &&
      sale === tenure.sale &&
      unit === tenure.unit &&
      tenure.givenByMs >= contested.fromMs &&
      tenure.givenFromMs <= contested.toMs,
  )
  if (isOrdered || !isLost) return tenure
  return { ...tenure, endsFromMs: Math.min(tenure.endsFromMs, tenure.givenFromMs) }
}

/** A place for each of its quantity. */
function placesOf({ id, sale, units }: KnownHold, stretch: Stretch): (UnitTenure & Stretch)[] {
  return units.flatMap(({ unit, quantity }) =>
    Array.from({ length: quantity }, () => ({ hold: id, sale, unit, ...stretch })),
  )
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
