import { EventEmitter } from 'node:events'
import type { Clock } from '../clock.ts'
import type { RedisCluster } from './redis-cluster.ts'
import type { RedisSubscriber } from './redis-servers.ts'
import { connectRedisSubscriber, type Redis } from './redis.ts'

/** What it has to know of the cluster. */
type Nodes = Pick<RedisCluster, 'addresses' | 'onChange' | 'connectionTo'>

/** Before another server is tried. */
const pauseMs = 100

/** Hears what is published anywhere in a cluster, at one of its masters; when that one goes, at another. */
export class RedisClusterSubscriber extends EventEmitter implements RedisSubscriber {
  readonly #cluster: Nodes
  #connection: Redis | undefined
  #address = ''
  #turn: number
  readonly #clock: Clock
  readonly #stopped = new AbortController()

  constructor(cluster: Nodes, options: { clock: Clock; random: () => number }) {
    super()
    this.#cluster = cluster
    this.#clock = options.clock
    // Not all processes at the same one.
    this.#turn = Math.floor(options.random() * 1000)
    cluster.onChange(() => {
      // Whoever is no master any more may be on its way out of the cluster, and nothing would be heard there.
      if (!cluster.addresses.includes(this.#address)) this.#connection?.disconnect()
    })
  }

  /** At any of them: one may be away, and is known all the same. */
  async connect(): Promise<void> {
    for (let tries = this.#cluster.addresses.length; ; tries--) {
      try {
        return await this.#connect()
      } catch (error) {
        if (tries <= 1) throw error
      }
    }
  }

  disconnect(): void {
    this.#stopped.abort()
    this.#connection?.disconnect()
  }

  async subscribe(...channels: string[]): Promise<unknown> {
    return await this.#connection?.subscribe(...channels)
  }

  async unsubscribe(channel: string): Promise<unknown> {
    return await this.#connection?.unsubscribe(channel)
  }

  async #connect(): Promise<void> {
    const { addresses } = this.#cluster
    const address = addresses[this.#turn++ % addresses.length]
    if (address === undefined) return void this.#insteadOf(this.#connection)
    const connection = this.#cluster.connectionTo(address, connectRedisSubscriber)
    // Not to the same server: it may stay away.
    connection.options.retryStrategy = () => null
    connection.on('ready', () => this.emit('ready'))
    connection.on('message', (channel, message) => this.emit('message', channel, message))
    connection.once('end', () => void this.#insteadOf(connection))
    this.#connection = connection
    this.#address = address
    await connection.connect()
  }

  /** Unless another one was begun meanwhile. */
  async #insteadOf(gone: Redis | undefined): Promise<void> {
    await this.#clock.wait(pauseMs, this.#stopped.signal)
    if (this.#stopped.signal.aborted || this.#connection !== gone) return
    // What fails ends, and is tried again.
    await this.#connect().catch(() => {})
  }
}
