import { collectDefaultMetrics, Registry } from 'prom-client'
import { Subject } from 'rxjs'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { connectPostgres, type Sql } from './db/postgres.ts'
import { redisServers } from './db/redis-connecting.ts'
import type { RedisPlace, RedisServers } from './db/redis-servers.ts'
import { PostgresSigningKeyStore } from './domain/accounts/signing-key-store.ts'
import { SigningKeys } from './domain/accounts/signing-keys.ts'
import type { Hurry } from './domain/orders/order-outbox.ts'
import { SandboxProvider } from './domain/payments/provider-sandbox.ts'
import { QueueStore } from './domain/queue/queue-store.ts'
import { SaleState } from './domain/sale-state/sale-state.ts'
import { SaleCatalogue, saleSource } from './domain/sales/sale-catalogue.ts'
import { HoldStore } from './domain/units/hold-store.ts'
import { placesChange, UnitSync } from './domain/units/unit-sync.ts'
import type { Ids } from './ids.ts'
import type { Log } from './log.ts'
import { Broker } from './streams/broker.ts'
import { Conditions } from './streams/conditions.ts'
import { saleChannel } from './streams/house-channels.ts'

export interface ComposeOptions {
  readonly config: Pick<
    Config,
    | 'roles'
    | 'port'
    | 'host'
    | 'sharePort'
    | 'publicUrl'
    | 'secureCookies'
    | 'allowedOrigins'
    | 'trustedProxies'
    | 'guestsPerMinute'
    | 'admissionTickMs'
    | 'restoreSeconds'
    | 'payBySeconds'
    | 'keyRotationDays'
    | 'streamBufferBytes'
    | 'connectionsMax'
    | 'postgresConnections'
    | 'rereadPages'
    | 'dataDir'
    | 'pictures'
    | 'picturesServer'
    | 'picturesRegion'
    | 'redisSentinelMaster'
    | 'redisSentinelPassword'
    | 'redisCluster'
  >
  readonly postgresUrl: string
  readonly redisUrl: string
  readonly version: string
  readonly clock: Clock
  readonly ids: Ids
  readonly random: () => number
  readonly log: Log
}

/** What every role of a process stands on. */
export interface Foundation extends ComposeOptions {
  readonly processId: string
  readonly sql: Sql
  /** For searches among the stores, which cannot keep anybody else waiting for a connection. */
  readonly searchSql: Sql
  /** For questions of how the stores are, which must not wait behind anything else. */
  readonly watchSql: Sql
  readonly redis: RedisServers
  readonly state: SaleState
  readonly broker: Broker
  readonly catalogue: SaleCatalogue
  readonly queue: QueueStore
  readonly holds: HoldStore
  readonly sync: UnitSync
  readonly keys: SigningKeys
  readonly provider: SandboxProvider
  readonly registry: Registry
  readonly conditions: Conditions
  /** Acts on an order's change before the outbox does. */
  readonly hurry: Hurry
  /** Sales that are new or changed, as this process hears of them; what it remembers of them is to be forgotten. */
  readonly changedSales$: Subject<string>
  /** Tells every process that a sale is new or changed. */
  readonly announceSale: (saleId: string) => void
  /** Publishes what only hurries: whoever listens reads the store when its time comes. */
  readonly tell: (channel: string, message: string) => void
  /** Ends the connections. */
  letGo(): Promise<void>
}

/** Connections for searches, for each of the others. A search keeps a core of the database busy while it lasts. */
const searchShare = 0.25

/** Connects to the stores and builds the domain on them. Rejects when a store cannot be reached. */
export async function layFoundation(options: ComposeOptions): Promise<Foundation> {
  const processId = options.ids.next('prc')
  const stores = await connectStores(options, processId)
  const { sql, searchSql, watchSql, redis, broker, state } = stores
  const catalogue = new SaleCatalogue({ source: saleSource(sql), clock: options.clock })
  const changedSales$ = new Subject<string>()
  changedSales$.subscribe((saleId) => catalogue.forget(saleId))
  const holds = new HoldStore(state)
  const sync = new UnitSync({ sql, holds })
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const tell = (channel: string, message: string): void => {
    redis.publish(channel, message).catch(() => {})
  }
  return {
    ...options,
    processId,
    sql,
    searchSql,
    watchSql,
    redis,
    state,
    broker,
    catalogue,
    queue: new QueueStore(state),
    holds,
    sync,
    keys: new SigningKeys({ ...options, store: new PostgresSigningKeyStore(sql) }),
    provider: new SandboxProvider({ sql, clock: options.clock }),
    registry,
    conditions: new Conditions({ ...options, registry }),
    tell,
    changedSales$,
    announceSale: (saleId) => {
      changedSales$.next(saleId)
      tell(saleChannel, saleId)
    },
    hurry: ({ saleId, body }) => {
      // What fails here the outbox does a little later.
      sync.apply(saleId, placesChange(body)).catch(() => {})
    },
    letGo: stores.letGo,
  }
}

async function connectStores(options: ComposeOptions, processId: string) {
  const { log } = options
  const { postgresUrl: url } = options
  const { postgresConnections: connections } = options.config
  const name = `openrun ${processId}`
  const sql = connectPostgres({ url, connections, name })
  const searchSql = connectPostgres({
    url,
    connections: Math.ceil(connections * searchShare),
    name,
    searches: true,
  })
  // How the stores are is asked past all queues: many who wait for a connection are no store that is away.
  const watchSql = connectPostgres({ url, connections: 1, name })
  const { redis, subscriber } = redisServers({ ...redisPlace(options), ...options, name: processId })
  const pools = [sql, searchSql, watchSql]
  const letGo = async (): Promise<void> => {
    redis.disconnect()
    subscriber.disconnect()
    await Promise.all(pools.map((pool) => pool.end({ timeout: 1 })))
  }
  try {
    // Of each pool: its first connection asks for what nobody awaits later, see postgres-socket.ts.
    await Promise.all([redis.connect(), ...pools.map((pool) => pool`select 1`)])
    await subscriber.connect()
  } catch (error) {
    await letGo()
    throw error
  }
  return {
    sql,
    searchSql,
    watchSql,
    redis,
    state: new SaleState(redis),
    broker: new Broker({ subscriber, log }),
    letGo,
  }
}

function redisPlace({ redisUrl, config }: ComposeOptions): RedisPlace {
  const { redisSentinelMaster: master, redisSentinelPassword: password, redisCluster: isCluster } = config
  return { redisUrl, isCluster, sentinels: master === undefined ? undefined : { master, password } }
}
