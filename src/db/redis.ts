import { Redis as IoRedis } from 'ioredis'
import { generalErrors, Problem } from '../errors.ts'
import { systemClock, type Clock } from '../clock.ts'
import type { Log } from '../log.ts'

export type Redis = IoRedis

export interface RedisOptions {
  readonly url: string
  /** Shown in CLIENT LIST. */
  readonly name: string
  readonly log: Log
}

/**
 * A connection that never repeats a command by itself and never queues one while it is down: a script that was cut
 * off is asked again by its caller, who knows what it named.
 */
export function connectRedis(options: RedisOptions): Redis {
  const redis = new IoRedis(options.url, {
    connectionName: options.name,
    lazyConnect: true,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    connectTimeout: 2000,
    // A stopped server must not hold requests for ever; writes that it may still apply are named, so asking again is safe.
    commandTimeout: 3000,
    retryStrategy: (times) => Math.min(1000, 25 * 2 ** Math.min(times, 6)) * (0.5 + Math.random() / 2),
  })
  redis.on('error', (error: Error) =>
    options.log.debug({ err: error, redis: options.name }, 'redis connection'),
  )
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

const askAgainMs = 200

/**
 * Knows which life of the Redis server a connection talks to. Between a cut and the next INFO it knows nothing, and
 * no script may be sent: a server that came back from its append-only file has forgotten up to a second.
 */
export class RedisLife {
  readonly #redis: Redis
  readonly #clock: Clock
  #runId: string | undefined
  #asking: Promise<void> = Promise.resolve()

  constructor(redis: Redis, clock: Clock = systemClock) {
    this.#redis = redis
    this.#clock = clock
    redis.on('ready', () => {
      this.#asking = this.#ask()
    })
    redis.on('close', () => {
      this.#runId = undefined
    })
    if (redis.status === 'ready') this.#asking = this.#ask()
  }

  /** Resolves when the server behind the present connection was asked. */
  async known(): Promise<void> {
    await this.#asking
  }

  /** The run_id of the server behind the connection. Throws `unavailable` while it is not known. */
  get runId(): string {
    if (this.#runId === undefined) throw new Problem(generalErrors.unavailable, { retryAfterSeconds: 1 })
    return this.#runId
  }

  /** Asks until there is an answer: a server that is only slow to say who it is stays connected. */
  async #ask(): Promise<void> {
    while (this.#redis.status === 'ready' && this.#runId === undefined) {
      try {
        const info = await this.#redis.info('server')
        this.#runId = /^run_id:(\w+)/m.exec(info)?.[1]
      } catch {
        await this.#clock.wait(askAgainMs)
      }
    }
  }
}

/** Errors of a connection that is down, too slow, or cut in the middle, as one Problem; others pass through. */
export function asUnavailable(error: unknown): unknown {
  const message = error instanceof Error ? error.message : ''
  const down = /Connection is closed|isn't writeable|Command timed out|ECONN|EPIPE|LOADING|max retries/i.test(
    message,
  )
  return down ? new Problem(generalErrors.unavailable, { retryAfterSeconds: 1, cause: error }) : error
}
