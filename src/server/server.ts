import { randomInt } from 'node:crypto'
import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js'
import { Counter, Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import { generalErrors, type ErrorDefinition } from '../errors.ts'
import type { Ids } from '../ids.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import { Conditions } from '../streams/conditions.ts'
import { StartError } from '../start-error.ts'
import { asyncApiDocument } from './asyncapi.ts'
import { ChannelRegistry, type Channel } from './channel.ts'
import { HttpAdapter } from './http.ts'
import { HttpMetrics } from './http-metrics.ts'
import type { IdempotencyStore } from './idempotency.ts'
import { LiveConnections } from './live-connections.ts'
import { openApiDocument } from './openapi.ts'
import { publicFiles, vendorFiles } from './public-folder.ts'
import type { Endpoint, Route, Stream } from './route.ts'
import { docsFiles } from './routes/docs.ts'
import { healthRoutes } from './routes/health.ts'
import { metaRoutes } from './routes/meta.ts'
import { timeRoute } from './routes/time.ts'
import { serverErrors } from './server-errors.ts'
import { serverDefaults, type ServerOptions } from './server-options.ts'
import { Session, type Authenticator } from './session.ts'
import { StaticFiles, type StaticFile } from './static-files.ts'
import { Topics } from './topics.ts'
import { listenExclusively, uws } from './uws.ts'
import { WebSocketGate } from './ws.ts'

export interface ServerParts {
  readonly routes: readonly Route[]
  readonly streams?: readonly Stream[]
  readonly channels?: readonly Channel[]
  /** Where channels and streams publish what many are told; made before the server, so that they can know it. */
  readonly topics?: Topics
  readonly authenticator: Authenticator
  readonly log: Log
  readonly ids: Ids
  readonly clock: Clock
  /** Required as soon as a route is idempotent. */
  readonly idempotency?: IdempotencyStore
  /** Shown at /readyz; the server notes what it sees itself. */
  readonly conditions?: Conditions
  /** Shown at /metrics; the server adds its own figures. */
  readonly registry?: Registry
  /** Every error that a client may meet, for the documents; where absent, those of the edge alone. */
  readonly errors?: readonly ErrorDefinition[]
  readonly random?: () => number
  /** The folder of the pages; `rereads` shows what was changed in it without a new start. */
  readonly pages?: { readonly folder: string; readonly rereads: boolean }
  readonly options: Partial<ServerOptions> & Pick<ServerOptions, 'port'>
}

/** The edge of a process: HTTP, event streams and WebSockets on one port. */
export interface Server extends Service {
  /** The port listened on; 0 before `run`. */
  readonly port: number
  readonly isDraining: boolean
  drain(): Promise<void>
  /** Ends the live connections of an account, as when it is logged out. Returns how many there were. */
  closeAccount(accountId: string): number
  /** The OpenAPI document, also without running. */
  openApi(): object
  /** The AsyncAPI document likewise. */
  asyncApi(): object
}

export function createServer(parts: ServerParts): Server {
  return new Edge(parts)
}

class Edge implements Server {
  readonly name = 'server'
  readonly #parts: ServerParts
  readonly #options: ServerOptions
  readonly #streams: LiveConnections
  readonly #sockets: LiveConnections
  readonly #conditions: Conditions
  readonly #http: HttpAdapter
  readonly #endpoints: readonly Endpoint[]
  readonly #gate: WebSocketGate
  readonly #stopped = new AbortController()
  #app: TemplatedApp | undefined
  #listening: us_listen_socket | undefined
  #port = 0
  #connections = 0

  constructor(parts: ServerParts) {
    this.#parts = parts
    const { log, clock, ids, authenticator, idempotency, random = fraction } = parts
    const { registry = new Registry(), topics = new Topics() } = parts
    this.#options = { ...serverDefaults, ...parts.options }
    const options = this.#options
    this.#conditions = parts.conditions ?? new Conditions({ log, clock, registry })
    const onTooSlow = this.#slowClients(registry)
    this.#streams = new LiveConnections(15, () => onTooSlow('sse'))
    this.#sockets = new LiveConnections(25, () => onTooSlow('ws'))
    const session = new Session({ authenticator, ...options })
    const metrics = new HttpMetrics(registry)
    const connections = (): number => this.#connections
    const [streams, sockets] = [this.#streams, this.#sockets]
    this.#http = new HttpAdapter({
      log,
      clock,
      ids,
      session,
      streams,
      topics,
      files: this.#files(),
      metrics,
      options,
      random,
      connections,
      idempotency,
    })
    const channels = new ChannelRegistry(parts.channels ?? [])
    const isDraining = (): boolean => this.#http.isDraining
    this.#gate = new WebSocketGate({
      log,
      clock,
      session,
      channels,
      topics,
      sockets,
      options,
      connections,
      onGone: () => this.#connections--,
      isDraining,
    })
    this.#endpoints = [...parts.routes, ...(parts.streams ?? []), ...this.#ownRoutes(registry)]
    if (!idempotency && parts.routes.some((route) => route.idempotent === true)) {
      throw new TypeError('Idempotent routes need a store for their answers')
    }
    this.#describe(metrics)
  }

  get port(): number {
    return this.#port
  }

  get isDraining(): boolean {
    return this.#http.isDraining
  }

  openApi(): object {
    return openApiDocument({ endpoints: this.#endpoints, ...this.#documentFacts() })
  }

  asyncApi(): object {
    const { channels = [], streams = [] } = this.#parts
    return asyncApiDocument({ channels, streams, ...this.#documentFacts() })
  }

  closeAccount(accountId: string): number {
    return this.#streams.closeOf(accountId) + this.#sockets.closeOf(accountId)
  }

  /** Rejects with a StartError when the port cannot be had. */
  async run(): Promise<void> {
    const app = uws.App()
    this.#app = app
    app.filter((res, change) => {
      this.#connections += Number(change)
      // Somewhat beyond the limit connections are not even taken, so that file descriptors are left for the stores.
      if (Number(change) > 0 && this.#connections > this.#options.connectionsMax + connectionsBeyond)
        res.close()
    })
    this.#gate.register(app)
    this.#http.register(app, this.#endpoints)
    this.#listen(app)
    void this.#everySecond()
  }

  /** Answers what is under way, turns away what is new, and sends the live connections home, not all at once. */
  async drain(): Promise<void> {
    const { drainWithinMs, sharePort } = this.#options
    const { clock } = this.#parts
    // Where others listen on the same port, new connections are better off with them.
    if (sharePort) this.#stopListening()
    await Promise.all([
      this.#http.drain(drainWithinMs),
      this.#streams.drain(clock, drainWithinMs),
      this.#sockets.drain(clock, drainWithinMs),
    ])
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#stopListening()
    this.#app?.close()
    this.#app = undefined
  }

  #listen(app: TemplatedApp): void {
    const { host, port, sharePort } = this.#options
    // The web server shares a port silently unless told otherwise; two servers by accident would be a riddle.
    const flags = sharePort ? 0 : listenExclusively
    listenOn(app, { host, port, flags }, (socket) => (this.#listening = socket || undefined))
    if (!this.#listening) {
      app.close()
      throw new StartError(`Port ${port} is taken: stop what listens there, or choose another with PORT=…`)
    }
    this.#port = uws.us_socket_local_port(this.#listening)
  }

  #stopListening(): void {
    if (this.#listening) uws.us_listen_socket_close(this.#listening)
    this.#listening = undefined
  }

  /** The one timer of the edge: overdue answers, heartbeats of streams, pings of sockets. */
  async #everySecond(): Promise<void> {
    const { signal } = this.#stopped
    for (;;) {
      await this.#parts.clock.wait(1_000, signal)
      if (signal.aborted) return
      this.#http.sweep()
      this.#streams.tick()
      this.#sockets.tick()
    }
  }

  #documentFacts() {
    const { version, publicUrl } = this.#options
    return { errors: this.#errors(), version, ...(publicUrl !== undefined && { publicUrl }) }
  }

  #errors(): readonly ErrorDefinition[] {
    return this.#parts.errors ?? [...Object.values(generalErrors), ...Object.values(serverErrors)]
  }

  #files(): StaticFiles {
    const { pages } = this.#parts
    const docs = docsFiles(this.#errors())
    const read = (): StaticFile[] => [
      ...docs,
      ...(pages ? [...publicFiles(pages.folder), ...vendorFiles()] : []),
    ]
    return new StaticFiles({ read, rereads: pages?.rereads === true })
  }

  #ownRoutes(registry: Registry): Route[] {
    return [
      ...healthRoutes({ conditions: this.#conditions, isDraining: () => this.#http.isDraining }),
      timeRoute(this.#parts.clock),
      ...metaRoutes({ openApi: () => this.openApi(), asyncApi: () => this.asyncApi(), registry }),
    ]
  }

  /** They are counted, and said once for all of them. */
  #slowClients(registry: Registry): (transport: 'sse' | 'ws') => void {
    const closed = new Counter({
      name: 'openrun_slow_clients_closed_total',
      help: 'Live connections that were closed because they did not read what they were told',
      labelNames: ['transport'],
      registers: [registry],
    })
    return (transport) => {
      closed.inc({ transport })
      this.#conditions.seen('slow-clients', { forMs: slowClientsForMs })
    }
  }

  #describe(metrics: HttpMetrics): void {
    metrics.gauge('openrun_connections', 'Open connections of any sort', () => this.#connections)
    metrics.gauge('openrun_event_streams', 'Open event streams', () => this.#streams.size)
    metrics.gauge('openrun_websockets', 'Open WebSockets', () => this.#sockets.size)
    metrics.gauge('openrun_http_in_flight', 'Requests being worked on', () => this.#http.inFlight)
  }
}

const connectionsBeyond = 256
const slowClientsForMs = 30_000

/** 0 ≤ fraction < 1, for the jitter of reconnecting; a few are drawn a second. */
function fraction(): number {
  return randomInt(1_000_000) / 1_000_000
}

/** The four-argument form, which the web server's declarations leave out. */
function listenOn(
  app: TemplatedApp,
  { host, port, flags }: { readonly host: string; readonly port: number; readonly flags: number },
  done: (socket: us_listen_socket | false) => void,
): void {
  const target = app as unknown as {
    listen(host: string, port: number, flags: number, done: (socket: us_listen_socket | false) => void): void
  }
  target.listen(host, port, flags, done)
}
