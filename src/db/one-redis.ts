import { systemClock, type Clock } from '../clock.ts'
import { RedisLife } from './redis-life.ts'
import type { RedisServer, RedisServers } from './redis-servers.ts'
import type { Redis } from './redis.ts'

/** One server that has everything; behind Sentinels it is another after each fail-over. */
export class OneRedis implements RedisServers, RedisServer {
  readonly commands: Redis
  /** There are no others. */
  readonly away: readonly string[] = []
  readonly #life: RedisLife
  #connecting: Promise<void> | undefined

  constructor(commands: Redis, clock: Clock = systemClock) {
    this.commands = commands
    this.#life = new RedisLife(commands, clock)
  }

  get isKnown(): boolean {
    return this.#life.isKnown
  }

  get runId(): string {
    return this.#life.runId
  }

  of(): RedisServer {
    return this
  }

  publish(channel: string, message: string): Promise<unknown> {
    return this.commands.publish(channel, message)
  }

  /** Answering is not enough: no script may be sent before it is known who answers. */
  async mustBeReady(): Promise<void> {
    if (this.#life.isReplica) throw noMaster()
    await this.commands.ping()
    void this.runId
  }

  /** The first attempt; after it the connection goes on trying by itself. */
  connect(): Promise<void> {
    return (this.#connecting ??= this.#connect())
  }

  async #connect(): Promise<void> {
    await this.commands.connect()
    await this.#life.known()
    if (this.#life.isKnown) return
    throw noMaster()
  }

  /** Nothing is believed of this server before it was asked again who it is. */
  doubt(): void {
    this.#life.doubt()
  }

  disconnect(): void {
    this.commands.disconnect()
  }
}

function noMaster(): Error {
  return Object.assign(new Error('READONLY it is no master that takes writes'), { code: 'READONLY' })
}
