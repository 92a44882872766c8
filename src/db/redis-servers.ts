import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Redis, RedisSentinels } from './redis.ts'

/** One server, and which life of it the connection talks to. */
export interface RedisServer {
  readonly commands: Redis
  /** Throws Problem `unavailable` while it is not known. Whatever carries it is sent in the same moment. */
  readonly runId: string
}

/** Redis as the program sees it, be it one server, the master of a few, or a cluster. */
export interface RedisServers {
  /** The server that has what lies under this key. Throws Problem `unavailable` while that is not known. */
  of(key: string): RedisServer
  /**
   * Tells whoever listens, at whichever server. A sharded publish would stay at the servers of one slot, but then a
   * script could tell nothing to a channel of another slot, and an edge had to listen at all servers.
   */
  publish(channel: string, message: string): Promise<unknown>
  /** Addresses of servers that are needed and away, where others are there. */
  readonly away: readonly string[]
  /** Rejects when no script could be sent. */
  mustBeReady(): Promise<void>
  /** Rejects when Redis cannot be reached. */
  connect(): Promise<void>
  disconnect(): void
}

/** A connection that hears. `ready` is told when it is there again, and all must be subscribed anew. */
export interface RedisSubscriber {
  on(event: 'ready', heed: () => void): unknown
  on(event: 'message', heed: (channel: string, message: string) => void): unknown
  subscribe(...channels: string[]): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  connect(): Promise<void>
  disconnect(): void
}

/** Where Redis is and what it is, as the settings say. */
export interface RedisPlace {
  /** One address, or several separated by commas. */
  readonly redisUrl: string
  readonly sentinels?: RedisSentinels | undefined
  readonly isCluster: boolean
}

export interface RedisServersOptions extends RedisPlace {
  readonly name: string
  readonly log: Log
  readonly clock: Clock
  readonly random: () => number
}
