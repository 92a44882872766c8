import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { connectPostgres, isPostgresAway, type Sql } from './db/postgres.ts'
import { asUnavailable, connectRedis, connectRedisSubscriber, RedisLife, type Redis } from './db/redis.ts'
import { AccessTokens } from './domain/accounts/access-token.ts'
import { AccountStore } from './domain/accounts/account-store.ts'
import { Authenticator } from './domain/accounts/authenticator.ts'
import { PostgresIdempotencyStore } from './domain/accounts/idempotency-store.ts'
import { OrganiserKeys } from './domain/accounts/organiser-key.ts'
import { PurchaseTokens } from './domain/accounts/purchase-token.ts'
import { PostgresSigningKeyStore } from './domain/accounts/signing-key-store.ts'
import { SigningKeys } from './domain/accounts/signing-keys.ts'
import { sweepHolds } from './domain/orders/hold-sweeping.ts'
import { orderCommitter } from './domain/orders/order-commit.ts'
import { expireDueOrders } from './domain/orders/order-expiring.ts'
import type { Hurry } from './domain/orders/order-outbox.ts'
import { OrderPlacing } from './domain/orders/order-placing.ts'
import { trimRelayed } from './domain/orders/relay-store.ts'
import { PaymentProcessing } from './domain/payments/payment-processing.ts'
import { SandboxProvider } from './domain/payments/provider-sandbox.ts'
import { QueueJoining } from './domain/queue/queue-joining.ts'
import { QueueStore } from './domain/queue/queue-store.ts'
import { QueueTickets } from './domain/queue/queue-ticket.ts'
import { SaleState } from './domain/sale-state/sale-state.ts'
import { SaleCatalogue, saleSource } from './domain/sales/sale-catalogue.ts'
import { moveDueSales } from './domain/sales/sale-scheduling.ts'
import { HoldStore } from './domain/units/hold-store.ts'
import { HoldTaking } from './domain/units/hold-taking.ts'
import { placesChange, UnitSync } from './domain/units/unit-sync.ts'
import { errorCatalogue } from './error-catalogue.ts'
import { generalErrors, Problem } from './errors.ts'
import type { Ids } from './ids.ts'
import type { Log } from './log.ts'
import { createServer, type Server } from './server/server.ts'
import { KeyedLimiter } from './server/limits.ts'
import { meChannel } from './server/routes/account-channel.ts'
import { authRoutes } from './server/routes/auth.ts'
import { holdRoutes } from './server/routes/holds.ts'
import { orderRoutes } from './server/routes/orders.ts'
import { queueChannel, queueRoutes, queueStream } from './server/routes/queue.ts'
import { saleRoutes } from './server/routes/sales.ts'
import { ticketRoutes } from './server/routes/tickets.ts'
import { translatedChannel, translatedRoute, translatedStream } from './server/translated.ts'
import type { Service } from './service.ts'
import { Admission } from './streams/admission.ts'
import { Broker } from './streams/broker.ts'
import { Chores, type Chore } from './streams/chores.ts'
import { GateMetrics } from './streams/gate-metrics.ts'
import { Heartbeat } from './streams/heartbeat.ts'
import { epochChannel, paymentsChannel, saleChannel } from './streams/house-channels.ts'
import { OutboxRelay, reader } from './streams/outbox-relay.ts'
import { UnitMaps } from './streams/unit-map.ts'
import { WaitingRoom } from './streams/waiting-room.ts'

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
  >
  readonly postgresUrl: string
  readonly redisUrl: string
  readonly version: string
  readonly clock: Clock
  readonly ids: Ids
  readonly random: () => number
  readonly log: Log
}

/** One process of the server, wired and not yet running. */
export interface App {
  readonly sql: Sql
  /** Told by whoever made or changed a sale outside the routes. */
  readonly announceSale: (saleId: string) => void
  /** Absent without the role `edge`. */
  readonly server: Server | undefined
  /** Resolves when every service runs. */
  run(): Promise<void>
  /** Finishes what is under way, then lets go of everything. */
  stop(): Promise<void>
}

/** Puts a process together from its parts. Nothing else wires. Rejects when a store cannot be reached. */
export async function compose(options: ComposeOptions): Promise<App> {
  const { config, clock, ids, random, log } = options
  const processId = ids.next('prc')
  const has = (role: Config['roles'][number]): boolean => config.roles.includes(role)

  // Stores
  const sql = connectPostgres({
    url: options.postgresUrl,
    connections: config.postgresConnections,
    name: `openrun ${processId}`,
  })
  const redis = connectRedis({ url: options.redisUrl, name: processId, log })
  const subscriber = connectRedisSubscriber({ url: options.redisUrl, name: processId, log })
  const life = new RedisLife(redis)
  const letGo = async (): Promise<void> => {
    redis.disconnect()
    subscriber.disconnect()
    await sql.end({ timeout: 1 })
  }
  try {
    await Promise.all([redis.connect(), subscriber.connect(), sql`select 1`])
    await life.known()
  } catch (error) {
    await letGo()
    throw error
  }
  const state = new SaleState({ redis, life })
  const broker = new Broker({ subscriber, log })
  const tell = (channel: string, message: string): void => {
    redis.publish(channel, message).catch(() => {
      // Only hurries: whoever listens reads the store when its time comes.
    })
  }

  // Domain
  const catalogue = new SaleCatalogue({ source: saleSource(sql), clock })
  const queue = new QueueStore(state)
  const holds = new HoldStore(state)
  const sync = new UnitSync({ sql, holds })
  const announceSale = (saleId: string): void => {
    catalogue.forget(saleId)
    tell(saleChannel, saleId)
  }
  const hurry: Hurry = ({ saleId, body }) => {
    sync.apply(saleId, placesChange(body)).catch(() => {
      // The outbox has it.
    })
  }
  const keys = new SigningKeys({ store: new PostgresSigningKeyStore(sql), clock, ids, log })
  const provider = new SandboxProvider({ sql, clock })
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })

  // What flows
  const services: Service[] = [new Heartbeat({ sql, processId, roles: config.roles, log }), keys]
  const changes = broker.channel(saleChannel)
  if (has('worker')) {
    const relay = new OutboxRelay({ sql, redis, sync, processId, log })
    services.push(relay, new Chores({ chores: chores({ sql, keys, config, hurry, announceSale }), log }))
  }
  if (has('payments')) {
    const payments = new PaymentProcessing({ sql, provider, clock, log, hurry, random })
    services.push(
      payments,
      listening('payments wake', () => broker.channel(paymentsChannel).subscribe(() => payments.wake())),
    )
  }
  if (has('admission')) {
    const metrics = new GateMetrics(registry)
    const admission = new Admission({
      sql,
      state,
      catalogue,
      broker,
      processId,
      log,
      tickMs: config.admissionTickMs,
      restoreMs: config.restoreSeconds * 1000,
      replay: (saleId, after) => sync.replay(saleId, after),
      announceEpoch: (sale, epoch) => tell(epochChannel, JSON.stringify({ sale, epoch })),
      sweep: (writership) => sweepHolds({ sql, holds, sync }, writership),
      onReport: (saleId, report) => metrics.note(saleId, report),
    })
    services.push(
      admission,
      listening('sales look', () => changes.subscribe(() => admission.look())),
    )
  }
  services.push(listening('sale changes', () => changes.subscribe((saleId) => catalogue.forget(saleId))))
  const edge = has('edge')
    ? composeEdge({
        ...options,
        sql,
        redis,
        state,
        broker,
        catalogue,
        queue,
        holds,
        sync,
        keys,
        provider,
        registry,
        hurry,
        announceSale,
        tell,
        processId,
      })
    : undefined
  if (edge !== undefined) services.push(...edge.services)

  return {
    sql,
    announceSale,
    server: edge?.server,
    run: async () => {
      for (const service of services) await service.run()
    },
    stop: async () => {
      for (const service of services.toReversed()) await service.drain?.()
      for (const service of services.toReversed()) await service.stop()
      await letGo()
    },
  }
}

interface EdgeParts extends ComposeOptions {
  readonly sql: Sql
  readonly redis: Redis
  readonly state: SaleState
  readonly broker: Broker
  readonly catalogue: SaleCatalogue
  readonly queue: QueueStore
  readonly holds: HoldStore
  readonly sync: UnitSync
  readonly keys: SigningKeys
  readonly provider: SandboxProvider
  readonly registry: Registry
  readonly hurry: Hurry
  readonly announceSale: (saleId: string) => void
  readonly tell: (channel: string, message: string) => void
  readonly processId: string
}

function composeEdge(parts: EdgeParts): { server: Server; services: Service[] } {
  const { config, clock, ids, log, random, sql, redis, state, broker, catalogue, queue, holds, sync, keys } =
    parts
  const issuer = config.publicUrl ?? 'openrun'
  const accessTokens = new AccessTokens({ keys, clock, issuer })
  const purchaseTokens = new PurchaseTokens({ keys, clock, issuer })
  const signToken = purchaseTokens.issue.bind(purchaseTokens)
  const tickets = new QueueTickets(keys)
  const room = new WaitingRoom({ sql, queue, catalogue, broker, processId: parts.processId, signToken, log })
  const maps = new UnitMaps({ state, broker })
  const joining = new QueueJoining({
    sql,
    state,
    queue,
    tickets,
    catalogue,
    remember: (saleId, waiter) => room.remember(saleId, waiter),
    forget: (saleId, accountId) => room.forget(saleId, accountId),
  })
  const taking = new HoldTaking({ holds, freePlaces: (saleId) => maps.freePlaces(saleId), random })
  const placing = new OrderPlacing({
    sql,
    holds,
    sync,
    catalogue,
    committer: orderCommitter(sql),
    ids,
    takesMethod: (method) => parts.provider.methods.some((known) => known === method),
    wakePayments: () => parts.tell(paymentsChannel, ''),
  })
  const queueParts = { joining, queue, tickets, catalogue, room, signToken, clock }
  const guestLimiter = new KeyedLimiter({
    rate: { perSecond: config.guestsPerMinute / 60, burst: config.guestsPerMinute },
    keysMax: 100_000,
    clock,
  })
  const routes = [
    ...authRoutes({
      accounts: new AccountStore(sql),
      accessTokens,
      limiter: guestLimiter,
      secureCookies: config.secureCookies,
      keys,
    }),
    ...saleRoutes({ sql, catalogue, payBySecondsDefault: config.payBySeconds, announce: parts.announceSale }),
    ...queueRoutes(queueParts),
    ...holdRoutes({ taking, holds, placing, catalogue, purchaseTokens }),
    ...orderRoutes({ sql, hurry: parts.hurry }),
    ...ticketRoutes({ sql, keys }),
  ]
  const channels = [queueChannel(queueParts), meChannel({ broker })]
  const server = createServer({
    routes: routes.map((route) => translatedRoute(route, unavailableProblem)),
    streams: [translatedStream(queueStream(queueParts), unavailableProblem)],
    channels: channels.map((channel) => translatedChannel(channel, unavailableProblem)),
    authenticator: new Authenticator({ accessTokens, organiserKeys: new OrganiserKeys(sql, clock) }),
    idempotency: new PostgresIdempotencyStore(sql),
    readyChecks: [
      { name: 'postgresql', check: async () => void (await sql`select 1`) },
      { name: 'redis', check: async () => void (await redis.ping()) },
    ],
    registry: parts.registry,
    errors: errorCatalogue,
    log,
    ids,
    clock,
    random,
    options: {
      host: config.host,
      port: config.port,
      sharePort: config.sharePort,
      version: parts.version,
      ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
      allowedOrigins: config.allowedOrigins,
      secureCookies: config.secureCookies,
      trustedHops: config.trustedProxies,
      connectionsMax: config.connectionsMax,
      unreadBytesMax: config.streamBufferBytes,
    },
  })
  const stopped = listening('waiting room', () => ({
    unsubscribe: () => {
      room.stop()
      maps.stop()
    },
  }))
  return { server, services: [stopped, server] }
}

const hourMs = 3_600_000

function chores(parts: {
  sql: Sql
  keys: SigningKeys
  config: Pick<Config, 'keyRotationDays'>
  hurry: Hurry
  announceSale: (saleId: string) => void
}): Chore[] {
  const { sql, keys, config, hurry, announceSale } = parts
  const idempotency = new PostgresIdempotencyStore(sql)
  return [
    {
      name: 'sales open and close',
      everyMs: 250,
      work: async () => (await moveDueSales(sql)).forEach(announceSale),
    },
    { name: 'orders expire', everyMs: 500, work: () => expireDueOrders(sql, 200, hurry) },
    { name: 'keys rotate', everyMs: hourMs, work: () => keys.rotateOld(config.keyRotationDays) },
    { name: 'stored answers fade', everyMs: hourMs / 60, work: () => idempotency.forgetOld() },
    { name: 'outbox fades', everyMs: hourMs / 60, work: () => trimRelayed(sql, { reader, keepHours: 24 }) },
  ]
}

/** A subscription that lives as long as the process works. */
function listening(name: string, subscribe: () => { unsubscribe(): void }): Service {
  let subscription: { unsubscribe(): void } | undefined
  return {
    name,
    run: async () => {
      subscription = subscribe()
    },
    stop: async () => subscription?.unsubscribe(),
  }
}

/** A store that is away is no fault of this program, and no reason to give up. */
function unavailableProblem(error: unknown): unknown {
  return isPostgresAway(error)
    ? new Problem(generalErrors.unavailable, { retryAfterSeconds: 1, cause: error })
    : asUnavailable(error)
}
