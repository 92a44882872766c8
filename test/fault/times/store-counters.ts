import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { connectPostgres } from '../../../src/db/postgres.ts'
import type { World } from '../suite/world.ts'

/** What a store was asked since it started. */
export interface StoreCounters {
  /** Of Redis with what scripts ask it. */
  readonly requests: number
  /** Begun since it started. */
  readonly connections: number
  /** Open now. */
  readonly open: number
}

/** How to ask a store, by a connection of one's own. */
export interface StoreWatch {
  counters(): Promise<StoreCounters>
  close(): Promise<void>
}

export function watchRedis(world: World): StoreWatch {
  const redis = new Redis(world.stores.redisUrl)
  redis.on('error', () => undefined)
  const field = (info: string, name: string): number =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? Number.NaN)
  return {
    counters: async () => {
      const info = (await redis.info('stats')) + (await redis.info('clients'))
      // The total has what was read from its file at the start as well.
      const calls = (await redis.info('commandstats')).matchAll(/:calls=(\d+)/g)
      return {
        requests: [...calls].reduce((sum, [, count]) => sum + Number(count), 0),
        connections: field(info, 'total_connections_received'),
        open: field(info, 'connected_clients'),
      }
    },
    close: async () => redis.disconnect(),
  }
}

export function watchPostgres(world: World): StoreWatch {
  const sql = connectPostgres({ url: world.stores.postgresUrl, connections: 1, name: 'watch' })
  return {
    counters: async () => {
      const [row] = await sql<StoreCounters[]>`
        select xact_commit + xact_rollback as requests, sessions as connections,
          (select count(*)::int from pg_stat_activity where datname = current_database()) as open
        from pg_stat_database where datname = current_database()`
      return row ?? { requests: Number.NaN, connections: Number.NaN, open: Number.NaN }
    },
    close: () => sql.end({ timeout: 0 }),
  }
}

/**
 * How many requests there were in each of some seconds.
 * @param options.isNew the store has just started: what came before the first look is of the first second
 */
export async function requestsBySecond(
  watch: StoreWatch,
  { seconds, isNew }: { seconds: number; isNew: boolean },
): Promise<number[]> {
  const bySecond: number[] = []
  let before = isNew ? 0 : (await watch.counters()).requests
  while (bySecond.length < seconds) {
    await wait(1_000)
    const { requests } = await watch.counters()
    bySecond.push(requests - before)
    before = requests
  }
  return bySecond
}
