import { appendOutbox, type OutboxEntry } from '../../db/outbox.ts'
import type { TransactionSql } from '../../db/postgres.ts'
import type { OrderPlace, OrderStatus } from './order.ts'

/** What the rest of the house learns when an order changes. */
export interface OrderChange {
  readonly order: string
  /** The hold it was made of; only with the change that made it. */
  readonly hold?: string
  readonly account: string
  readonly status: OrderStatus
  /** Those that this change booked or freed. */
  readonly places: readonly OrderPlace[]
}

export interface OrderEntry extends OutboxEntry {
  readonly topic: 'order'
  readonly body: OrderChange
}

/** Told of a change after its commit, to act before the outbox is read. Nothing may depend on it. */
export type Hurry = (entry: OrderEntry) => void

export const noHurry: Hurry = () => {}

export interface ChangedOrder {
  readonly id: string
  readonly saleId: string
  readonly accountId: string
}

export function orderEntry(
  order: ChangedOrder,
  status: OrderStatus,
  places: readonly OrderPlace[],
): OrderEntry {
  const body = { order: order.id, account: order.accountId, status, places }
  return { saleId: order.saleId, topic: 'order', body }
}

/** Writes the entry in the transaction that makes the change. */
export async function appendOrderChange(tx: TransactionSql, entry: OrderEntry): Promise<OrderEntry> {
  await appendOutbox(tx, [entry])
  return entry
}
