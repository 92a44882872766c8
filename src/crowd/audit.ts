import { isOpen } from '../client/order-outcome.ts'
import type { Time } from '../client/client-ports.ts'
import type { OpenrunClient } from '../client/openrun-client.ts'
import type { OrderMessage } from '../domain/orders/order-messages.ts'
import { inParallel } from './in-parallel.ts'
import type { Journal } from './journal.ts'
import { fetchTicket } from './shopping.ts'
import type { AuditedBuyer } from './verdict.ts'

export interface KnownBuyer {
  /** Of the account. */
  readonly id: string
  readonly client: OpenrunClient
}

export interface AuditOptions {
  readonly buyers: readonly KnownBuyer[]
  readonly saleId: string
  readonly journal: Journal
  readonly time: Time
  readonly callsAtOnce: number
  /** How long to wait for payments that are still under way. */
  readonly settlingMs: number
}

/** Reads, at the end, the orders of everybody who tried to order, and fetches the tickets nobody has fetched yet. */
export async function auditBuyers(options: AuditOptions): Promise<AuditedBuyer[]> {
  const { buyers, saleId, journal, time, settlingMs } = options
  const entries = journal.entries.filter((entry) => entry.sale === saleId)
  const tried = new Set(entries.filter(({ type }) => type === 'order-sent').map(({ buyer }) => buyer))
  const ticketed = new Set(entries.flatMap((entry) => (entry.type === 'ticket' ? [entry.order] : [])))
  const untilMs = time.nowMs() + settlingMs
  const those = buyers.filter(({ id }) => tried.has(id))
  return await inParallel(options.callsAtOnce, those, async ({ id, client }) => {
    const orders = await settledOrders(client, time, untilMs)
    const note = journal.write.bind(journal, { sale: saleId, buyer: id })
    for (const order of orders) {
      if (order.sale !== saleId || order.status !== 'booked' || ticketed.has(order.id)) continue
      await fetchTicket({ client, note }, order)
    }
    return { buyer: id, orders }
  })
}

async function settledOrders(client: OpenrunClient, time: Time, untilMs: number): Promise<OrderMessage[]> {
  for (;;) {
    const orders = await allOrders(client)
    const someOpen = orders.some(isOpen)
    if (!someOpen || time.nowMs() >= untilMs) return orders
    await time.wait(1_000)
  }
}

async function allOrders(client: OpenrunClient): Promise<OrderMessage[]> {
  const orders: OrderMessage[] = []
  let cursor: string | undefined
  do {
    const page = await client.orders({ limit: 100, ...(cursor === undefined ? {} : { cursor }) })
    orders.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return orders
}
