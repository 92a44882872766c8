import type { Socket } from 'node:net'
import { SentinelConnector, type Redis, type RedisOptions } from 'ioredis'
import type { Log } from '../log.ts'

type ConnectorClass = NonNullable<RedisOptions['Connector']>

/** What ioredis has and does not show. */
interface SentinelConnecting {
  /** It was not told to stay away. */
  readonly connecting: boolean
  readonly failoverDetector?: { cleanup(): void }
  connect(tell: (type: string, error: Error) => void): Promise<Socket>
  connectToSentinel(endpoint: unknown, options: unknown): Redis
  resolve(endpoint: unknown): Promise<Address | null>
  initFailoverDetector(): Promise<void>
}

interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Finds the master as ioredis does, which keeps a connection to each Sentinel to hear of fail-overs. Three things are
 * otherwise: what is heard while the master is looked for does not end the search for good; a fail-over to the master that
 * it has found already, or of another name, which each Sentinel tells of in its own time, costs no connection; and of a
 * Sentinel that is down the log hears, where ioredis would write a stack past it once a second.
 */
export function sentinelConnector(log: Log, master: string): ConnectorClass {
  const Base = SentinelConnector as unknown as new (options: unknown) => SentinelConnecting
  class Connector extends Base {
    /** The master, as a Sentinel has named it last. */
    #master: Address | null = null

    override connect(tell: (type: string, error: Error) => void): Promise<Socket> {
      this.failoverDetector?.cleanup()
      return super.connect(tell)
    }

    override connectToSentinel(endpoint: unknown, options: unknown): Redis {
      const sentinel = super.connectToSentinel(endpoint, options)
      sentinel.on('error', (err: Error) => log.debug({ err }, 'sentinel connection'))
      const emit = sentinel.emit.bind(sentinel)
      sentinel.emit = (event, ...args: unknown[]) =>
        event === 'message' && !this.#isLeft(String(args[1])) ? false : emit(event, ...args)
      return sentinel
    }

    override async resolve(endpoint: unknown): Promise<Address | null> {
      return (this.#master = await super.resolve(endpoint))
    }

    /** A connection that was given up while it was made would leave those to the Sentinels behind. */
    override async initFailoverDetector(): Promise<void> {
      if (this.connecting) await super.initFailoverDetector()
    }

    /** @param told of a fail-over: the name of the master, where it was, and where it is, each a host and a port */
    #isLeft(told: string): boolean {
      const [name, , , host, port] = told.split(' ')
      return name === master && !(host === this.#master?.host && Number(port) === this.#master?.port)
    }
  }
  return Connector as unknown as ConnectorClass
}
