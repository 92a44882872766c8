import { Batcher, type Fate } from '../../db/batcher.ts'
import { appendOutbox } from '../../db/outbox.ts'
import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { beyondStoreLimit, bookedBefore, lockAccounts, readStoreLimits } from './account-limits.ts'
import { placeTuple, type Place } from '../units/hold.ts'
import { orderEntry, type OrderEntry } from './order-outbox.ts'

/** An order as it is to be written: the places are those of its hold. */
export interface OrderDraft {
  readonly orderId: string
  readonly holdId: string
  readonly saleId: string
  /** Of the sale. */
  readonly storeId: string | null
  readonly onePerUnit: boolean
  readonly accountId: string
  readonly currency: string
  readonly totalMinor: number
  /** How long it may wait for its payment; without meaning when nothing is to be paid. */
  readonly payBySeconds: number
  readonly bookings: readonly (Place & { readonly bookingId: string; readonly priceMinor: number })[]
  /** What is to be paid, and how. Absent when nothing is. */
  readonly payment?: {
    readonly paymentId: string
    readonly method: string
    readonly chargeKey: string
    readonly refundKey: string
  }
}

/**
 * What became of a draft. `placed`: it is on disk, with what PostgreSQL added to it. `exists`: an order with this id is there already, from an earlier try. `taken`: PostgreSQL has
 * another booking for one of its places, or the account has as many as it may; `beyond_limits`: the account has a booking
 * of that unit, or as many as the store gives. Of these two nothing was written.
 */
export type OrderFate =
  | ({ readonly fate: 'placed' } & PlacedRow)
  | { readonly fate: 'exists' | 'taken' | 'beyond_limits' }

interface PlacedRow {
  readonly createdAt: Date
  readonly payBy: Date | null
}

/** Orders in one transaction at the most. */
const batchMax = 256
/** Orders that may wait; one more is refused with `unavailable`. */
const queueMax = 10_000

/**
 * Writes orders that arrive at the same time in one transaction, each with its own fate. What it resolves to is on disk.
 * When the connection is lost at the commit each order is tried again alone, and finds itself there if it was written.
 */
export function orderCommitter(sql: Sql): Batcher<OrderDraft, OrderFate> {
  return new Batcher({
    run: async (drafts) => {
      const fates = await transaction(sql, (tx) => commitDrafts(tx, drafts))
      return fates.map((value): Fate<OrderFate> => ({ ok: true, value }))
    },
    batchMax,
    queueMax,
    inFlightMax: 2,
    aloneAfter: () => true,
  })
}

/** Statements that need not know of each other's answers are sent together: a batch waits for each way there and back. */
async function commitDrafts(tx: TransactionSql, all: readonly OrderDraft[]): Promise<OrderFate[]> {
  const drafts = firstOfEach(all)
  const [, written, storeLimits] = await Promise.all([
    lockAccounts(tx, drafts),
    insertOrders(tx, drafts),
    readStoreLimits(tx, drafts),
  ])
  const fresh = drafts.flatMap((draft) => {
    const row = written.get(draft.orderId)
    return row === undefined ? [] : [{ draft, row, isWhole: row.places === draft.bookings.length }]
  })
  const beyond = beyondStoreLimit(
    storeLimits,
    fresh.map(({ draft, row, isWhole }) => ({ ...draft, written: row.places, isWhole })),
  )
  const [placed, lost] = parted(fresh, ({ draft, isWhole }) => isWhole && !beyond.has(draft.orderId))
  const [placedDrafts, lostDrafts] = [placed.map(({ draft }) => draft), lost.map(({ draft }) => draft)]
  const [, before] = await Promise.all([
    deleteOrders(tx, lostDrafts),
    bookedBefore(tx, lostDrafts),
    insertPayments(tx, placedDrafts),
    appendOutbox(tx, placedDrafts.map(outboxEntryOf)),
  ])
  for (const orderId of before) beyond.add(orderId)
  const fates = new Map<OrderDraft, OrderFate>()
  for (const { draft, row } of placed) {
    fates.set(draft, { fate: 'placed', createdAt: row.createdAt, payBy: row.payBy })
  }
  for (const draft of lostDrafts)
    fates.set(draft, { fate: beyond.has(draft.orderId) ? 'beyond_limits' : 'taken' })
  return all.map((draft) => fates.get(draft) ?? { fate: 'exists' })
}

function parted<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))]
}

async function deleteOrders(tx: TransactionSql, drafts: readonly OrderDraft[]): Promise<void> {
  if (drafts.length === 0) return
  const ids = drafts.map(({ orderId }) => orderId)
  await tx`
    with gone as (delete from bookings where order_id = any(${ids}))
    delete from orders where id = any(${ids})`
}

/** Two requests for one order may meet in a batch: the first is written, the second finds it there. */
function firstOfEach(all: readonly OrderDraft[]): OrderDraft[] {
  return [...new Map(all.toReversed().map((draft) => [draft.orderId, draft])).values()].toReversed()
}

/**
 * Writes the orders that are not there yet, and those of their places that are free, in one order for everybody so that
 * two batches cannot wait for each other.
 * @returns the orders that were written, with how many places each got
 */
async function insertOrders(
  tx: TransactionSql,
  drafts: readonly OrderDraft[],
): Promise<Map<string, PlacedRow & { readonly places: number }>> {
  const places = drafts.flatMap((draft) => draft.bookings.map((booking) => ({ draft, booking })))
  const rows = await tx<({ id: string; places: number } & PlacedRow)[]>`
    with written as (
      insert into orders (id, sale_id, account_id, hold_id, status, total_minor, currency, pay_by)
      select d.id, d.sale_id, d.account_id, d.hold_id, d.status, d.total_minor, d.currency,
        case when d.status = 'pending' then clock_timestamp() + d.pay_by_seconds * interval '1 second' end
      from unnest(
        ${drafts.map((d) => d.orderId)}::text[], ${drafts.map((d) => d.saleId)}::text[],
        ${drafts.map((d) => d.accountId)}::text[], ${drafts.map((d) => d.holdId)}::text[],
        ${drafts.map(statusOf)}::text[], ${drafts.map((d) => d.totalMinor)}::bigint[],
        ${drafts.map((d) => d.currency)}::text[], ${drafts.map((d) => d.payBySeconds)}::int[])
        as d (id, sale_id, account_id, hold_id, status, total_minor, currency, pay_by_seconds)
      order by d.id
      on conflict (id) do nothing
      returning id, created_at, pay_by),
    booked as (
      insert into bookings
        (id, order_id, sale_id, unit_no, ordinal, capacity, account_id, nth, one_per_unit, status, price_minor,
          booked_at)
      select b.id, b.order_id, b.sale_id, b.unit_no, b.ordinal, u.capacity, b.account_id, b.nth, s.one_per_unit,
        b.status, b.price_minor, case when b.status = 'booked' then clock_timestamp() end
      from unnest(
        ${places.map((p) => p.booking.bookingId)}::text[], ${places.map((p) => p.draft.orderId)}::text[],
        ${places.map((p) => p.draft.saleId)}::text[], ${places.map((p) => p.booking.unitNo)}::int[],
        ${places.map((p) => p.booking.ordinal)}::int[], ${places.map((p) => p.draft.accountId)}::text[],
        ${places.map((p) => p.booking.nth)}::int[], ${places.map((p) => statusOf(p.draft))}::text[],
        ${places.map((p) => p.booking.priceMinor)}::int[])
        with ordinality as b (id, order_id, sale_id, unit_no, ordinal, account_id, nth, status, price_minor, turn)
      join written on written.id = b.order_id
      join units u on u.sale_id = b.sale_id and u.unit_no = b.unit_no and b.ordinal <= u.capacity
      join sales s on s.id = b.sale_id and b.nth <= s.max_per_account
      -- All orders are written before the first place is, since these are put in order.
      order by b.sale_id, b.unit_no, b.ordinal, b.turn
      on conflict do nothing
      returning order_id)
    select id, created_at as "createdAt", pay_by as "payBy", coalesce(places, 0) as places
    from written left join (select order_id, count(*)::int as places from booked group by order_id) as counted
      on order_id = id`
  return new Map(rows.map(({ id, ...row }) => [id, row]))
}

async function insertPayments(tx: TransactionSql, drafts: readonly OrderDraft[]): Promise<void> {
  const rows = drafts.flatMap((draft) =>
    draft.payment === undefined
      ? []
      : [
          {
            id: draft.payment.paymentId,
            order_id: draft.orderId,
            method: draft.payment.method,
            amount_minor: draft.totalMinor,
            currency: draft.currency,
            state: 'queued',
            charge_key: draft.payment.chargeKey,
            refund_key: draft.payment.refundKey,
          },
        ],
  )
  if (rows.length > 0) await tx`insert into payments ${tx(rows)}`
}

/** As which it is written. */
export function statusOf(draft: OrderDraft): 'pending' | 'booked' {
  return draft.payment === undefined ? 'booked' : 'pending'
}

function outboxEntryOf(draft: OrderDraft): OrderEntry {
  const order = { id: draft.orderId, saleId: draft.saleId, accountId: draft.accountId }
  const entry = orderEntry(order, statusOf(draft), draft.bookings.map(placeTuple))
  return { ...entry, body: { ...entry.body, hold: draft.holdId } }
}
