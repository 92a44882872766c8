import { fileURLToPath } from 'node:url'
import { isPostgresAway } from './db/postgres.ts'
import { asUnavailable } from './db/redis.ts'
import { AccessTokens } from './domain/accounts/access-token.ts'
import { AccountStore } from './domain/accounts/account-store.ts'
import { Authenticator } from './domain/accounts/authenticator.ts'
import { PostgresIdempotencyStore } from './domain/accounts/idempotency-store.ts'
import { OrganiserKeys } from './domain/accounts/organiser-key.ts'
import { PurchaseTokens } from './domain/accounts/purchase-token.ts'
import { standingReader } from './domain/orders/account-limits.ts'
import { OrderSaving, type UnsavedOrder } from './domain/orders/order-saving.ts'
import { SavingNotes } from './domain/orders/saving-notes.ts'
import { orderCommitter } from './domain/orders/order-commit.ts'
import { OrderPlacing } from './domain/orders/order-placing.ts'
import { DrawEntering } from './domain/queue/draw-entering.ts'
import { QueueJoining } from './domain/queue/queue-joining.ts'
import { QueueTickets } from './domain/queue/queue-ticket.ts'
import { HoldTaking } from './domain/units/hold-taking.ts'
import { composeChat } from './compose-chat.ts'
import { composeStores } from './compose-stores.ts'
import type { Foundation } from './compose-foundation.ts'
import { errorCatalogue } from './error-catalogue.ts'
import { generalErrors, Problem } from './errors.ts'
import type { Channel } from './server/channel.ts'
import { KeyedLimiter } from './server/limits.ts'
import type { Route, Stream } from './server/route.ts'
import { meChannel } from './server/routes/account-channel.ts'
import {
  availabilityRoutes,
  availabilityStream,
  mapTopic,
  unitsChannel,
} from './server/routes/availability.ts'
import { authRoutes } from './server/routes/auth.ts'
import { deskRoutes, deskStream } from './server/routes/desk.ts'
import { drawRoutes } from './server/routes/draw.ts'
import { holdRoutes } from './server/routes/holds.ts'
import { orderRoutes } from './server/routes/orders.ts'
import { queueChannel, queueRoutes, queueStream } from './server/routes/queue.ts'
import { saleRoutes } from './server/routes/sales.ts'
import { ticketRoutes } from './server/routes/tickets.ts'
import { createServer, type Server, type ServerParts } from './server/server.ts'
import { Topics } from './server/topics.ts'
import {
  translatedAuthenticator,
  translatedChannel,
  translatedIdempotency,
  translatedRoute,
  translatedStream,
} from './server/translated.ts'
import type { Service } from './service.ts'
import { accountChannel, paymentsChannel, type AccountNotice } from './streams/house-channels.ts'
import { LineMetrics } from './streams/line-metrics.ts'
import { MapMetrics } from './streams/map-metrics.ts'
import { MapViews } from './streams/map-views.ts'
import { SaleDesk } from './streams/sale-desk.ts'
import { UnitMaps } from './streams/unit-maps.ts'
import { WaitingRoom } from './streams/waiting-room.ts'

/** The role `edge`: everything a client meets. */
export function composeEdge(base: Foundation): {
  server: Server
  services: Service[]
  /** How many orders could not be written yet. */
  ordersSaving: () => number
} {
  const { sql, log, ids, clock, random, conditions } = base
  const topics = new Topics()
  const { endpoints, stop, ordersSaving } = composeEndpoints(base, topics)
  const server = createServer({
    routes: endpoints.routes.map((route) => translatedRoute(route, unavailableProblem)),
    streams: endpoints.streams.map((stream) => translatedStream(stream, unavailableProblem)),
    channels: endpoints.channels.map((channel) => translatedChannel(channel, unavailableProblem)),
    topics,
    authenticator: translatedAuthenticator(endpoints.authenticator, unavailableProblem),
    idempotency: translatedIdempotency(new PostgresIdempotencyStore(sql), unavailableProblem),
    conditions,
    registry: base.registry,
    errors: errorCatalogue,
    log,
    ids,
    clock,
    random,
    pages: { folder: pagesFolder, rereads: base.config.rereadPages },
    options: serverOptionsOf(base),
  })
  const flows: Service = {
    name: 'waiting room and maps',
    run: () => Promise.resolve(),
    stop: async () => stop(),
  }
  return { server, services: [flows, server], ordersSaving }
}

/** Beside the sources and beside what is built from them. */
const pagesFolder = fileURLToPath(new URL('../public', import.meta.url))

interface Endpoints {
  readonly routes: readonly Route[]
  readonly streams: readonly Stream[]
  readonly channels: readonly Channel[]
  readonly authenticator: Authenticator
}

function composeEndpoints(
  base: Foundation,
  topics: Topics,
): { endpoints: Endpoints; stop: () => void; ordersSaving: () => number } {
  const { config, clock, ids, random, sql, state, broker, catalogue, queue, holds, sync, keys } = base
  const issuer = config.publicUrl ?? 'openrun'
  const accessTokens = new AccessTokens({ keys, clock, issuer })
  const purchaseTokens = new PurchaseTokens({ keys, clock, issuer })
  const signToken = purchaseTokens.issue.bind(purchaseTokens)
  const tickets = new QueueTickets(keys)
  const entering = new DrawEntering({ sql, ids, clock })
  const room = new WaitingRoom({ ...base, entering, signToken, metrics: new LineMetrics(base.registry) })
  const { maps, views } = composeMaps(base, topics)
  const chat = composeChat(base, topics)
  const remembering = {
    remember: room.remember.bind(room),
    forget: room.forget.bind(room),
  }
  const joining = new QueueJoining({ sql, state, queue, tickets, catalogue, entering, ...remembering })
  const standings = standingReader(sql)
  const standing = standings.add.bind(standings)
  const freePlaces = maps.freePlaces.bind(maps)
  const taking = new HoldTaking({ holds, freePlaces, standing, random })
  const notes = new SavingNotes(base.redis)
  const saving = new OrderSaving({ ...base, notes, onAbandoned: abandonedTeller(base) })
  const placing = new OrderPlacing({
    sql,
    holds,
    sync,
    catalogue,
    ids,
    standing,
    saving,
    committer: orderCommitter(sql),
    takesMethod: (method) => base.provider.methods.some((known) => known === method),
    wakePayments: () => base.tell(paymentsChannel, ''),
  })
  const guests = { perSecond: config.guestsPerMinute / 60, burst: config.guestsPerMinute }
  const limiter = new KeyedLimiter({ rate: guests, keysMax: 100_000, clock })
  const deskParts = { sql, catalogue, desk: new SaleDesk({ broker, clock }) }
  const mapParts = { views, state, catalogue }
  const queueParts = { joining, entering, queue, tickets, catalogue, room, signToken, clock }
  const { secureCookies, payBySeconds: payBySecondsDefault } = config
  const endpoints = {
    routes: [
      ...authRoutes({ accounts: new AccountStore(sql), accessTokens, limiter, secureCookies, keys }),
      ...saleRoutes({ sql, catalogue, payBySecondsDefault, announce: base.announceSale }),
      ...composeStores(base),
      ...chat.routes,
      ...queueRoutes(queueParts),
      ...availabilityRoutes(mapParts),
      ...drawRoutes({ sql, catalogue, entering }),
      ...deskRoutes(deskParts),
      ...holdRoutes({ taking, holds, placing, catalogue, purchaseTokens }),
      ...orderRoutes({ sql, hurry: base.hurry, notes }),
      ...ticketRoutes({ sql, keys }),
    ],
    streams: [queueStream(queueParts), availabilityStream(mapParts), deskStream(deskParts), chat.stream],
    channels: [queueChannel(queueParts), unitsChannel(mapParts), meChannel({ broker }), chat.channel],
    authenticator: new Authenticator({ accessTokens, organiserKeys: new OrganiserKeys(sql, clock) }),
  }
  const stop = (): void => {
    saving.stop()
    room.stop()
    chat.stop()
    views.stop()
    maps.stop()
  }
  return { endpoints, stop, ordersSaving: () => saving.inProgress }
}

function abandonedTeller({ tell }: Foundation) {
  return ({ accountId, id }: UnsavedOrder): void => {
    const data = { order: id, status: 'abandoned' }
    const notice = { account: accountId, type: 'order', data } satisfies AccountNotice
    tell(accountChannel, JSON.stringify([notice]))
  }
}

function composeMaps(base: Foundation, topics: Topics): { maps: UnitMaps; views: MapViews } {
  const metrics = new MapMetrics(base.registry)
  const maps = new UnitMaps({ ...base, onRead: () => metrics.mapRead() })
  const views = new MapViews({
    ...base,
    maps,
    tell: (saleId, group, event) =>
      topics.publish(mapTopic(saleId, group), { ch: `units:${saleId}`, ...event }),
    onFrame: () => metrics.frameTold(),
  })
  return { maps, views }
}

function serverOptionsOf({ config, version }: Foundation): ServerParts['options'] {
  return {
    version,
    host: config.host,
    port: config.port,
    sharePort: config.sharePort,
    ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
    allowedOrigins: config.allowedOrigins,
    secureCookies: config.secureCookies,
    trustedHops: config.trustedProxies,
    connectionsMax: config.connectionsMax,
    unreadBytesMax: config.streamBufferBytes,
  }
}

/** A store that is away is no fault of this program, and no reason to give up. */
function unavailableProblem(error: unknown): unknown {
  return isPostgresAway(error)
    ? new Problem(generalErrors.unavailable, { retryAfterSeconds: 1, cause: error })
    : asUnavailable(error)
}
