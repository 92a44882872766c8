import { Redis as IoRedis, type RedisOptions as IoRedisOptions } from 'ioredis'
import { systemClock, type Clock } from '../clock.ts'
import { generalErrors, Problem } from '../errors.ts'
import type { Log } from '../log.ts'
import { redisAddresses } from './redis-address.ts'
import { cutWhenSilent } from './redis-silence.ts'
import { sentinelConnector } from './sentinel-connector.ts'

export type Redis = IoRedis

export interface RedisOptions {
  /** Of the server, or of Sentinels, separated by commas. */
  readonly url: string
  /** The addresses are those of Sentinels: the server is the master they know by this name. */
  readonly sentinels?: RedisSentinels | undefined
  /** Shown in CLIENT LIST. */
  readonly name: string
  readonly log: Log
  readonly clock?: Clock
  /** Told of each error that the server answers. */
  readonly heed?: (error: Error) => void
}

export interface RedisSentinels {
  readonly master: string
  readonly password: string | undefined
}

const connectTimeoutMs = 2000

/**
 * A connection that never repeats a command by itself and never queues one while it is down: a script that was cut
 * off is asked again by its caller, who knows what it named.
 */
export function connectRedis(options: RedisOptions): Redis {
  const { sentinels, heed, log, name, clock = systemClock } = options
  const common: IoRedisOptions = {
    connectionName: name,
    lazyConnect: true,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    connectTimeout: connectTimeoutMs,
    // A stopped server must not hold requests for ever; writes that it may still apply are named, so asking again is safe.
    commandTimeout: 3000,
    retryStrategy,
    reconnectOnError: (error) => {
      heed?.(error)
      // It was a master and is one no more; true connects anew and does not repeat the command.
      return error.message.startsWith('READONLY')
    },
  }
  const redis =
    sentinels === undefined
      ? new IoRedis(options.url, common)
      : throughSentinels(options.url, sentinels, {
          ...common,
          Connector: sentinelConnector(log, sentinels.master),
        })
  redis.on('error', (error: Error) => log.debug({ err: error, redis: name }, 'redis connection'))
  cutWhenSilent(redis, clock)
  return redis
}

function retryStrategy(times: number): number {
  return Math.min(1000, 25 * 2 ** Math.min(times, 6)) * (0.5 + Math.random() / 2)
}

/** The login of the addresses is that of the master; Sentinels that want one have a password of their own. */
function throughSentinels(urls: string, sentinels: RedisSentinels, common: IoRedisOptions): Redis {
  const addresses = redisAddresses(urls)
  const [{ username, password, hasTls, database } = { hasTls: false, database: 0 }] = addresses
  let hasBegun = false
  const redis = new IoRedis({
    ...common,
    sentinels: addresses.map(({ host, port = 26_379 }) => ({ host, port })),
    name: sentinels.master,
    db: database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(sentinels.password === undefined ? {} : { sentinelPassword: sentinels.password }),
    ...(hasTls ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    // A master that was replaced is let go of as soon as a Sentinel says so, also when it hangs and closes nothing.
    failoverDetector: true,
    disconnectTimeout: 500,
    sentinelCommandTimeout: connectTimeoutMs,
    sentinelReconnectStrategy: () => 1000,
    // A start without Sentinels fails and says so; later they are asked until one answers.
    sentinelRetryStrategy: (times) => (hasBegun ? retryStrategy(times) : null),
  })
  redis.once('ready', () => (hasBegun = true))
  return redis
}

/** A second connection for SUBSCRIBE. Whoever uses it subscribes again when it comes back. */
export function connectRedisSubscriber(options: RedisOptions): Redis {
  const redis = connectRedis({ ...options, name: `${options.name}-subscriber` })
  redis.options.enableOfflineQueue = true
  redis.options.enableAutoPipelining = false
  // null: wait for the connection instead of failing what was asked for while it was down.
  redis.options.maxRetriesPerRequest = null
  // It would remember only what was confirmed before the cut.
  redis.options.autoResubscribe = false
  delete redis.options.commandTimeout
  return redis
}

const away =
  /Connection is closed|aborted due to connection close|isn't writeable|Command timed out|ECONN|EPIPE|LOADING|max retries/i
/** A server that is not, or not now, the one to ask: it is being replaced, or what was asked for is being moved. */
const elsewhere = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|READONLY|MASTERDOWN|NOREPLICAS) |non local key/
/** It answers, and writes nothing: its memory or its disk is full, or a script of somebody else's keeps it. */
const writesNothing = /^(OOM|MISCONF|BUSY) /

/** Errors of a connection that is down, too slow, or cut in the middle, as one Problem; others pass through. */
export function asUnavailable(error: unknown): unknown {
  const message = error instanceof Error ? error.message : ''
  const down = [away, elsewhere, writesNothing].some((kind) => kind.test(message))
  return down ? new Problem(generalErrors.unavailable, { retryAfterSeconds: 1, cause: error }) : error
}
