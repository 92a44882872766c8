import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js'
import type { Clock } from '../clock.ts'
import { generalErrors, Problem } from '../errors.ts'
import type { Ids } from '../ids.ts'
import type { Log } from '../log.ts'
import { BodyCollector } from './body-collector.ts'
import { callerId } from './caller.ts'
import { planEndpoint, type EndpointPlan } from './endpoint-plan.ts'
import { Exchange } from './exchange.ts'
import type { HttpMetrics } from './http-metrics.ts'
import { answerOnce, fingerprintOf, type IdempotencyStore } from './idempotency.ts'
import { mustDecodeText } from './json-text.ts'
import type { LiveConnections } from './live-connections.ts'
import { toProblem } from './problem-document.ts'
import { readHead } from './request-head.ts'
import { readInputs } from './request-inputs.ts'
import { behindEndpoints, restOf, type RefusalPlan } from './rest-plans.ts'
import type { Endpoint, Reply, Route, Stream } from './route.ts'
import { serverErrors } from './server-errors.ts'
import type { ServerOptions } from './server-options.ts'
import type { Session } from './session.ts'
import { SseConnection } from './sse.ts'
import type { StaticFiles } from './static-files.ts'
import type { Topics } from './topics.ts'

export interface HttpParts {
  readonly log: Log
  readonly clock: Clock
  readonly ids: Ids
  readonly session: Session
  readonly streams: LiveConnections
  readonly topics: Topics
  /** Served where no endpoint has the path. */
  readonly files: StaticFiles
  readonly metrics: HttpMetrics
  readonly options: ServerOptions
  readonly idempotency: IdempotencyStore | undefined
  readonly random: () => number
  /** Open connections of any sort. */
  readonly connections: () => number
}

/**
 * The only code that answers HTTP requests. What the web server demands is kept here, once for all routes: the request
 * is read before the first `await`, each response has an abort handler, and none is touched after its end.
 */
export class HttpAdapter {
  readonly #parts: HttpParts
  readonly #headOptions: { readonly hasAllowedOrigins: boolean; readonly trustedHops: number }
  readonly #allowedOrigins: ReadonlySet<string>
  /** In the order of their beginning, so that the sweep stops at the first that still has time. */
  readonly #inFlight = new Set<Exchange>()
  /** Those of them whose bodies are bytes: they are large, and taken before it is known from whom. */
  readonly #ofBytes = new Set<Exchange>()
  #isDraining = false
  #onIdle: (() => void) | undefined

  constructor(parts: HttpParts) {
    this.#parts = parts
    const { allowedOrigins, trustedHops } = parts.options
    this.#allowedOrigins = new Set(allowedOrigins)
    this.#headOptions = { hasAllowedOrigins: allowedOrigins.length > 0, trustedHops }
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  register(app: TemplatedApp, endpoints: readonly Endpoint[]): void {
    const { metrics, options } = this.#parts
    const methodsOf = new Map<string, Set<string>>()
    for (const endpoint of endpoints) {
      const meter = metrics.meter(endpoint.method, endpoint.path)
      const plan = planEndpoint(endpoint, meter, options.bodyBytesMax)
      const serve = (res: HttpResponse, req: HttpRequest) => this.#serve(plan, res, req)
      const methods = methodsOf.get(plan.pattern) ?? new Set<string>()
      if (methods.has(endpoint.method)) throw new TypeError(`${plan.label} is declared twice`)
      methodsOf.set(plan.pattern, methods.add(endpoint.method))
      app[registrars[endpoint.method]](plan.pattern, serve)
      if (endpoint.kind === 'route' && endpoint.method === 'GET') {
        app.head(plan.pattern, serve)
        methods.add('HEAD')
      }
    }
    for (const [pattern, methods] of methodsOf) {
      const { preflight, refusal } = restOf([...methods, 'OPTIONS'].join(', '), metrics)
      app.options(pattern, (res, req) => this.#serve(preflight, res, req))
      app.any(pattern, (res, req) => this.#serve(refusal, res, req))
    }
    // The files stand behind all endpoints: a path of the API can never be taken by one.
    const planOf = behindEndpoints(this.#parts.files, metrics)
    app.any('/*', (res, req) => this.#serve(planOf(req), res, req))
  }

  /** Takes no new work from now on; resolves when what is under way is answered, or when the time is over. */
  async drain(withinMs: number): Promise<void> {
    this.#isDraining = true
    if (this.#inFlight.size === 0) return
    const timeIsUp = new AbortController()
    const isIdle = new Promise<void>((resolve) => (this.#onIdle = resolve))
    await Promise.race([isIdle, this.#parts.clock.wait(withinMs, timeIsUp.signal)])
    timeIsUp.abort()
  }

  /** Ends the wait of clients whose answer takes too long. To be called every second or so. */
  sweep(): void {
    const dueBeforeMs = this.#parts.clock.nowMs() - this.#parts.options.answerWithinMs
    const late = [...this.#inFlight].filter(({ startedAtMs }) => startedAtMs <= dueBeforeMs)
    const [first] = late
    if (first === undefined) return
    const { traceId, plan } = first
    this.#parts.log.warn({ traceId, route: plan.label, answers: late.length }, 'answers took too long')
    for (const exchange of late) {
      this.#settle(exchange)
      exchange.expire(new Problem(serverErrors.timed_out))
    }
  }

  #serve(plan: EndpointPlan & Partial<RefusalPlan>, res: HttpResponse, req: HttpRequest): void {
    const { clock, ids, options } = this.#parts
    const head = readHead(req, plan, this.#headOptions)
    const { origin } = head.credentials
    const exchange = new Exchange({
      plan,
      head,
      res,
      ids,
      trustedHops: options.trustedHops,
      corsOrigin: origin !== '' && this.#allowedOrigins.has(origin) ? origin : '',
      startedAtMs: clock.nowMs(),
      nowMs: this.#nowMs,
      isClosing: this.#isClosing,
    })
    res.onAborted(() => exchange.abort())
    try {
      if (plan.refusal) return plan.refusal(exchange)
      if (plan.endpoint.always !== true) this.#mustHaveRoom()
      if (plan.isUnsafe) this.#parts.session.mustBeOwnOrigin(head.credentials)
      const length = plan.readsBody ? req.getHeader('content-length') : '0'
      if (length !== '0' && (length !== '' || req.getHeader('transfer-encoding') !== '')) {
        this.#readBody(exchange, { res, length, type: req.getHeader('content-type') })
      } else this.#begin(exchange, '')
    } catch (error) {
      this.#fail(exchange, error)
    }
  }

  #mustHaveRoom(): void {
    const { options, connections } = this.#parts
    if (this.#isDraining) throw new Problem(serverErrors.draining)
    if (this.#inFlight.size >= options.inFlightMax || connections() > options.connectionsMax) {
      throw new Problem(serverErrors.overloaded)
    }
  }

  /** A body that is refused by its head is not read: the web server throws it away as it comes. */
  #readBody(exchange: Exchange, told: { res: HttpResponse; length: string; type: string }): void {
    const { res, length, type } = told
    const { bodyBytesMax, bodyTypes } = exchange.plan
    if (Number(length) > bodyBytesMax) throw tooLarge(bodyBytesMax)
    if (bodyTypes === undefined ? !jsonType.test(type) : !bodyTypes.has(type.toLowerCase())) {
      throw new Problem(serverErrors.unsupported_media_type, bodyTypes && { detail: typesText(bodyTypes) })
    }
    if (bodyTypes !== undefined && this.#ofBytes.size >= bytesBodiesMax)
      throw new Problem(serverErrors.overloaded)
    const collector = new BodyCollector(bodyBytesMax)
    this.#inFlight.add(exchange)
    if (bodyTypes !== undefined) this.#ofBytes.add(exchange)
    exchange.onGone = () => this.#settle(exchange)
    res.onData((chunk, isLast) => {
      if (!exchange.isOpen) return
      try {
        const body = collector.add(chunk, isLast)
        if (body === 'too-large') throw tooLarge(bodyBytesMax)
        if (body !== 'more') this.#begin(exchange, bodyTypes ? body.slice() : mustDecodeText(body))
      } catch (error) {
        this.#settle(exchange)
        this.#fail(exchange, error)
      }
    })
  }

  #begin(exchange: Exchange, body: string | Uint8Array): void {
    // From here the handler decides when it is done, also when its client has gone.
    exchange.onGone = undefined
    this.#inFlight.add(exchange)
    void this.#run(exchange, body)
  }

  async #run(exchange: Exchange, body: string | Uint8Array): Promise<void> {
    const { endpoint } = exchange.plan
    try {
      const caller = this.#parts.session.identify(exchange.head.credentials, endpoint.auth)
      exchange.caller = caller instanceof Promise ? await caller : caller
      readInputs(exchange, body)
      if (endpoint.kind === 'stream') return await this.#openStream(exchange, endpoint)
      const reply = this.#handle(exchange, endpoint, body)
      exchange.reply(reply instanceof Promise ? await reply : reply)
    } catch (error) {
      this.#fail(exchange, error)
    } finally {
      this.#settle(exchange)
    }
  }

  #handle(exchange: Exchange, route: Route, body: string | Uint8Array): Promise<Reply> | Reply {
    const { idempotencyKey: key, url } = exchange.head
    const { idempotency: store, log } = this.#parts
    if (key === '' || !store || !exchange.caller || typeof body !== 'string') return route.handle(exchange)
    const { label } = exchange.plan
    const { traceId } = exchange
    const request = {
      callerId: callerId(exchange.caller),
      route: label,
      key,
      fingerprint: fingerprintOf(url, body),
    }
    const onStoreFailure = (err: unknown) =>
      log.error({ traceId, route: label, err }, 'an answer could not be kept')
    return answerOnce({ store, request, onStoreFailure }, () => route.handle(exchange))
  }

  async #openStream(exchange: Exchange, endpoint: Stream): Promise<void> {
    const { streams: live, topics, options, random, log } = this.#parts
    const { traceId } = exchange
    const route = exchange.plan.label
    const onCallbackFailure = (err: unknown) =>
      log.error({ traceId, route, err }, 'clearing up after a stream failed')
    const { unreadBytesMax } = options
    const stream = new SseConnection({ exchange, live, topics, unreadBytesMax, random, onCallbackFailure })
    try {
      await endpoint.open(exchange, stream)
      stream.begin()
    } catch (error) {
      if (!stream.hasBegun) {
        stream.discard()
        throw error
      }
      log.error({ traceId, route, err: error }, 'a stream failed')
      stream.close()
    }
  }

  #settle(exchange: Exchange): void {
    this.#inFlight.delete(exchange)
    this.#ofBytes.delete(exchange)
    if (this.#inFlight.size === 0) this.#onIdle?.()
  }

  #fail(exchange: Exchange, error: unknown): void {
    const problem = toProblem(error)
    const { traceId } = exchange
    if (problem.definition.status === 500) {
      this.#parts.log.error(
        { traceId, route: exchange.plan.label, err: problem.cause ?? problem },
        'request failed',
      )
    } else if (problem.cause !== undefined) {
      // A store that is away is said once, by its condition, and not with each request.
      const level = problem.definition === generalErrors.unavailable ? 'debug' : 'warn'
      this.#parts.log[level]({ traceId, route: exchange.plan.label, err: problem.cause }, problem.code)
    }
    exchange.fail(problem)
  }

  readonly #nowMs = (): number => this.#parts.clock.nowMs()

  /** While draining, and while there are too many connections, each answer is the last of its connection. */
  readonly #isClosing = (): boolean =>
    this.#isDraining || this.#parts.connections() > this.#parts.options.connectionsMax
}

const registrars = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'del' } as const

/** Bodies of bytes under way at the same time, some megabytes each. */
const bytesBodiesMax = 16

const jsonType = /^application\/json *(?:;|$)/i

function typesText(types: ReadonlySet<string>): string {
  return `Send one of ${[...types].join(', ')}.`
}

function tooLarge(bytesMax: number): Problem {
  return new Problem(serverErrors.body_too_large, { detail: `At most ${bytesMax} bytes are read here.` })
}
