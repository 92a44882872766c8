import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import type { OrderEntry } from '../orders/order-outbox.ts'
import { settleApproved, settleRefused } from '../orders/order-settling.ts'
import { claimMs, type ClaimedPayment, type PaymentState } from './payment.ts'
import type { ChargeOutcome } from './provider.ts'

/**
 * Takes up to `limit` payments that are due, for `claimMs`. In the same transaction the orders of those never asked for
 * before become `paying`; where the order has ended, or its time is over, the payment becomes `void` and is left out.
 */
export async function claimPayments(
  sql: Sql,
  limit: number,
): Promise<{ claimed: ClaimedPayment[]; voided: number }> {
  return transaction(sql, async (tx) => {
    const due = await takeDue(tx, limit)
    const queued = due.filter(({ before }) => before === 'queued')
    const paying = await beginPaying(tx, queued)
    const late = queued.filter(({ orderId }) => !paying.has(orderId)).map(({ id }) => id)
    if (late.length > 0) {
      await tx`update payments set state = 'void', updated_at = now() where id = any(${late})`
    }
    const claimed = due.flatMap(({ before, ...payment }) =>
      before === 'queued' && !paying.has(payment.orderId) ? [] : [payment],
    )
    return { claimed, voided: late.length }
  })
}

/**
 * Writes down what the provider said, with the order's fate, in one transaction. Whoever writes first wins: the same
 * outcome told twice changes nothing. Answers what the order's change was, if there was one.
 */
export async function recordOutcome(
  sql: Sql,
  payment: ClaimedPayment,
  outcome: ChargeOutcome,
): Promise<OrderEntry | undefined> {
  return transaction(sql, async (tx) => {
    // The order is locked before its payment, here as in cancelling, so that the two never wait for each other.
    await tx`select id from orders where id = ${payment.orderId} for update`
    const [open] = await tx`
      select id from payments where id = ${payment.id} and state in ('calling', 'unknown') for update`
    if (open === undefined) return undefined
    if (outcome.outcome === 'refused') {
      await setState(tx, payment.id, 'refused')
      return settleRefused(tx, payment.orderId)
    }
    const entry = await settleApproved(tx, payment.orderId)
    await setState(tx, payment.id, entry === undefined ? 'refunding' : 'approved', outcome.providerRef)
    return entry
  })
}

/** Nothing was heard: the payment is asked about again after `delayMs`, unless somebody has taken it up since. */
export async function recordUnknown(sql: Sql, payment: ClaimedPayment, delayMs: number): Promise<void> {
  await sql`
    update payments
    set state = case when state = 'calling' then 'unknown' else state end,
      next_at = now() + ${delayMs}::int * interval '1 millisecond', updated_at = now()
    where id = ${payment.id} and attempts = ${payment.attempts} and state in ('calling', 'unknown', 'refunding')`
}

export async function recordRefunded(sql: Sql, payment: ClaimedPayment): Promise<void> {
  await sql`
    update payments set state = 'refunded', updated_at = now() where id = ${payment.id} and state = 'refunding'`
}

interface DuePayment extends ClaimedPayment {
  readonly before: 'queued' | 'calling' | 'unknown' | 'refunding'
}

/** A millisecond early, because columns round to milliseconds: a payment is due in the very instant it is written. */
async function takeDue(tx: TransactionSql, limit: number): Promise<DuePayment[]> {
  return tx<DuePayment[]>`
    with due as (
      select id, state from payments
      where state in ('queued', 'calling', 'unknown', 'refunding') and next_at <= now() + interval '1 millisecond'
      order by next_at limit ${limit}
      for update skip locked
    )
    update payments
    set state = case due.state when 'queued' then 'calling' when 'calling' then 'unknown' else due.state end,
      attempts = payments.attempts + 1,
      next_at = now() + ${claimMs}::int * interval '1 millisecond', updated_at = now()
    from due where payments.id = due.id
    returning payments.id, payments.order_id as "orderId", payments.state, due.state as before, payments.method,
      payments.amount_minor as "amountMinor", payments.currency, payments.charge_key as "chargeKey",
      payments.refund_key as "refundKey", payments.attempts`
}

/** The orders that wait for their payment, now `paying`; locked in sorted order, as everywhere. */
async function beginPaying(tx: TransactionSql, queued: readonly DuePayment[]): Promise<ReadonlySet<string>> {
  if (queued.length === 0) return new Set()
  const rows = await tx<{ id: string }[]>`
    with waiting as (
      select id from orders
      where id = any(${queued.map(({ orderId }) => orderId)}) and status = 'pending' and pay_by > now()
      order by id for update
    )
    update orders set status = 'paying' from waiting where orders.id = waiting.id returning orders.id`
  return new Set(rows.map(({ id }) => id))
}

async function setState(
  tx: TransactionSql,
  id: string,
  state: PaymentState,
  providerRef?: string,
): Promise<void> {
  await tx`
    update payments
    set state = ${state}, provider_ref = coalesce(${providerRef ?? null}, provider_ref), next_at = now(),
      updated_at = now()
    where id = ${id}`
}
