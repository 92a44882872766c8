import { z } from 'zod'
import type { Redis } from '../../db/redis.ts'
import { orderMessage, type OrderMessage } from './order-messages.ts'

/** How long a note is kept: longer than any hold, which ends it. */
const noteMs = 2 * 86_400_000

const note = z.object({ account: z.string(), order: orderMessage })

/**
 * Orders that PostgreSQL has not, while it is away: what their callers were told last, for every process to say again. It
 * helps whoever asks, and nothing rests on it: without Redis, or once PostgreSQL has the order, it is passed over.
 */
export class SavingNotes {
  readonly #redis: Redis

  constructor(redis: Redis) {
    this.#redis = redis
  }

  /** Never rejects. */
  async keep(accountId: string, order: OrderMessage): Promise<void> {
    const text = JSON.stringify({ account: accountId, order })
    await this.#redis.set(keyOf(order.id), text, 'PX', noteMs).catch(() => {})
  }

  /** Never rejects. */
  async drop(orderId: string): Promise<void> {
    await this.#redis.del(keyOf(orderId)).catch(() => {})
  }

  /** Never rejects. */
  async find(asked: { orderId: string; accountId: string }): Promise<OrderMessage | undefined> {
    const text = await this.#redis.get(keyOf(asked.orderId)).catch(() => null)
    if (text === null) return undefined
    const { account, order } = note.parse(JSON.parse(text))
    return account === asked.accountId ? order : undefined
  }
}

function keyOf(orderId: string): string {
  return `openrun:saving:${orderId}`
}
