import { setTimeout as wait } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { monotonicMicros } from '../measure/monotonic-clock.ts'
import { servePools, type Shop } from './pool-server.ts'

/*
 * Redis decides: a script sees that the account has no place yet and that one is left, counts it and puts it into a
 * list. The answer goes out at once. A loop takes places out of the list, many at a time, and inserts them: what was
 * answered is durable only then, and is lost when the process or Redis ends before.
 */

/** Places inserted at once. */
const batchMax = 1_000
const idleMs = 10
const queueKey = 'coupons:queue'

const takeScript = `
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return -1 end
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[2]) then return 0 end
local no = redis.call('INCR', KEYS[1])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('LPUSH', KEYS[3], cjson.encode({ tonumber(ARGV[3]), no, ARGV[1] }))
return no`

type Scripted = Redis & {
  takePlace(
    countKey: string,
    accountsKey: string,
    queueKey: string,
    account: string,
    capacity: number,
    pool: number,
  ): Promise<number>
}

type Queued = readonly [pool: number, no: number, account: string]

servePools(({ sql, redis }) => {
  redis.defineCommand('takePlace', { numberOfKeys: 3, lua: takeScript })
  const capacities = new Map<number, number>()
  const inserting = new Inserting({ sql, redis: redis.duplicate() })
  void inserting.run()
  return {
    take: async (pool, account) => {
      const no = await (redis as Scripted).takePlace(
        `pool:${pool}:count`,
        `pool:${pool}:accounts`,
        queueKey,
        account,
        capacities.get(pool) ?? 0,
        pool,
      )
      return no > 0 ? no : no === 0 ? 'sold_out' : 'already_has_one'
    },
    opened: async (pools, capacity) => {
      const earlier = [...capacities.keys()]
      if (earlier.length > 0)
        await redis.unlink(earlier.flatMap((pool) => [`pool:${pool}:count`, `pool:${pool}:accounts`]))
      capacities.clear()
      for (const pool of pools) capacities.set(pool, capacity)
    },
    drained: () => inserting.drained(),
  }
})

class Inserting {
  readonly #shop: Shop
  #lastCommitMicros = 0
  #whenEmpty: ((lastCommitMicros: number) => void)[] = []

  constructor(shop: Shop) {
    this.#shop = shop
  }

  /** Ends with the process; an insert that fails ends the process, since its places would be lost unseen. */
  async run(): Promise<void> {
    for (;;) {
      const waiting = this.#whenEmpty
      const texts = await this.#shop.redis.rpop(queueKey, batchMax)
      if (texts !== null) {
        await this.#insert(texts.map((text) => JSON.parse(text) as Queued))
        this.#lastCommitMicros = monotonicMicros()
        continue
      }
      // Only those who asked before the list was looked into.
      this.#whenEmpty = this.#whenEmpty.filter((resolve) => !waiting.includes(resolve))
      for (const resolve of waiting) resolve(this.#lastCommitMicros)
      await wait(idleMs)
    }
  }

  drained(): Promise<number> {
    return new Promise((resolve) => {
      this.#whenEmpty = [...this.#whenEmpty, resolve]
    })
  }

  async #insert(rows: readonly Queued[]): Promise<void> {
    await this.#shop.sql`
      insert into coupons (pool_id, no, account_id)
      select * from unnest(
        ${rows.map(([pool]) => pool)}::int[], ${rows.map(([, no]) => no)}::int[],
        ${rows.map(([, , account]) => account)}::text[])
      on conflict (pool_id, account_id) do nothing`
  }
}
