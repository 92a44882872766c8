import { z } from 'zod'
import type { RedisServers } from '../../db/redis-servers.ts'
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
  readonly #redis: RedisServers

  constructor(redis: RedisServers) {
    this.#redis = redis
  }

  /** Never rejects. */
  async keep(accountId: string, order: OrderMessage): Promise<void> {
    const text = JSON.stringify({ account: accountId, order })
    await this.#at(order.id, (redis, key) => redis.set(key, text, 'PX', noteMs))
  }

  /** Never rejects. */
  async drop(orderId: string): Promise<void> {
    await this.#at(orderId, (redis, key) => redis.del(key))
  }

  /** Never rejects; a note that another version of the program wrote may say nothing to this one. */
  async find(asked: { orderId: string; accountId: string }): Promise<OrderMessage | undefined> {
    const kept = await this.#at(asked.orderId, async (redis, key) => {
      const text = await redis.get(key)
      return text === null ? undefined : note.parse(JSON.parse(text))
    })
    return kept?.account === asked.accountId ? kept.order : undefined
  }

  async #at<T>(orderId: string, call: (redis: Redis, key: string) => Promise<T>): Promise<T | undefined> {
    const key = `openrun:saving:${orderId}`
    try {
      return await call(this.#redis.of(key).commands, key)
    } catch {
      return undefined
    }
  }
}
