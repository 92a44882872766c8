import { Redis as PlainRedis } from 'ioredis'
import { systemClock, type Clock } from '../../src/clock.ts'
import { connectPostgres, type PostgresOptions, type Sql } from '../../src/db/postgres.ts'
import { connectRedis, connectRedisSubscriber, type Redis, type RedisOptions } from '../../src/db/redis.ts'

/*
 * For tests in which time is not what is tested: on a busy machine a process, a test or a store, may stand still for
 * seconds, and nobody gives up on it here.
 */

/** Tells the time as it is, and waits sixty times as long. */
export const unhurriedClock: Clock = {
  nowMs: () => systemClock.nowMs(),
  wait: (ms, signal) => systemClock.wait(ms * 60, signal),
}

/** @param options.clock by which a silent connection is cut; the unhurried one unless told */
export function unhurriedRedis(options: RedisOptions): Redis {
  return withoutLimits(connectRedis({ clock: unhurriedClock, ...options }))
}

/** The same, for SUBSCRIBE: after a cut, whoever has no broker would hear nothing any more. */
export function unhurriedSubscriber(options: RedisOptions): Redis {
  return withoutLimits(connectRedisSubscriber({ clock: unhurriedClock, ...options }))
}

function withoutLimits(redis: Redis): Redis {
  delete redis.options.commandTimeout
  redis.options.connectTimeout = 60_000
  return redis
}

/** Here a test may hold a transaction open, and others may wait for its locks, however long it works on something else. */
export function unhurriedPostgres(options: PostgresOptions): Sql {
  const sql = connectPostgres(options)
  // What each connection says when it begins; 0 means none.
  Object.assign(sql.options.connection, {
    statement_timeout: 600_000,
    idle_in_transaction_session_timeout: 0,
    lock_timeout: 0,
  })
  return sql
}

/** A look into Redis beside the server's own connections. It waits for as long as Redis takes, over restarts, too. */
export function lookIntoRedis(url: string): Redis {
  const redis = new PlainRedis(url, { maxRetriesPerRequest: null })
  redis.on('error', () => undefined)
  return redis
}
