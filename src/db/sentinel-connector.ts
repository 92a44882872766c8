import { SentinelConnector, type Redis, type RedisOptions } from 'ioredis'
import type { Log } from '../log.ts'

type ConnectorClass = NonNullable<RedisOptions['Connector']>

/** What ioredis has and does not show. */
interface SentinelConnecting {
  connectToSentinel(endpoint: unknown, options: unknown): Redis
}

/**
 * Finds the master as ioredis does. It keeps a connection to each Sentinel to hear of fail-overs, and would write the stack
 * of each failed attempt to one that is down past the log, once a second for as long as that lasts.
 */
export function sentinelConnector(log: Log): ConnectorClass {
  const Base = SentinelConnector as unknown as new (options: unknown) => SentinelConnecting
  class Connector extends Base {
    override connectToSentinel(endpoint: unknown, options: unknown): Redis {
      const sentinel = super.connectToSentinel(endpoint, options)
      sentinel.on('error', (err: Error) => log.debug({ err }, 'sentinel connection'))
      return sentinel
    }
  }
  return Connector as unknown as ConnectorClass
}
