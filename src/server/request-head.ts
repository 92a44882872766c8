import { randomFillSync } from 'node:crypto'
import type { HttpRequest } from 'uWebSockets.js'
import type { EndpointPlan } from './endpoint-plan.ts'
import type { Credentials } from './session.ts'

/** All that is wanted of a request, read while the web server still holds it: not later than the handler's first turn. */
export interface RequestHead {
  /** Asked for by HEAD, which what only reads can be. */
  readonly isHead: boolean
  readonly credentials: Credentials
  readonly traceId: string
  /** Parts of the path that stand for parameters, still encoded. */
  readonly segments: readonly string[]
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly forwardedFor: string
  readonly idempotencyKey: string
  readonly ifNoneMatch: string
  readonly lastEventId: string
  readonly url: string
}

export interface HeadOptions {
  readonly hasAllowedOrigins: boolean
  readonly trustedHops: number
}

/** Asks for what the endpoint needs and for nothing else: each header asked for is a call into native code. */
export function readHead(req: HttpRequest, plan: EndpointPlan, options: HeadOptions): RequestHead {
  const { endpoint } = plan
  const isStream = endpoint.kind === 'stream'
  return {
    isHead: !plan.isUnsafe && req.getMethod() === 'head',
    credentials: readCredentials(
      req,
      options.hasAllowedOrigins ? 'always' : plan.isUnsafe ? 'without-token' : 'never',
    ),
    traceId: traceIdOf(req.getHeader('traceparent')),
    segments: plan.parameterNames.map((_, index) => req.getParameter(index)),
    query: endpoint.query ? (req.getQuery() ?? '') : '',
    headers: plan.headerNames.length === 0 ? noHeaders : readHeaders(req, plan.headerNames),
    forwardedFor: options.trustedHops > 0 ? req.getHeader('x-forwarded-for') : '',
    idempotencyKey: plan.isIdempotent ? req.getHeader('idempotency-key') : '',
    ifNoneMatch: plan.isUnsafe || isStream ? '' : req.getHeader('if-none-match'),
    lastEventId: isStream ? req.getHeader('last-event-id') : '',
    url: plan.isIdempotent ? `${req.getUrl()}?${req.getQuery() ?? ''}` : '',
  }
}

/** Whose page sent a request matters for a cookie, which goes along by itself, and not for a token. */
export function readCredentials(
  req: HttpRequest,
  originIsRead: 'always' | 'without-token' | 'never',
): Credentials {
  const authorization = req.getHeader('authorization')
  const withOrigin = originIsRead === 'always' || (originIsRead === 'without-token' && authorization === '')
  return {
    authorization,
    cookie: authorization === '' ? req.getHeader('cookie') : '',
    origin: withOrigin ? req.getHeader('origin') : '',
    host: withOrigin ? req.getHeader('host') : '',
  }
}

/** The trace that the caller is in, from a valid W3C `traceparent`, else a new one: 32 hexadecimal digits. */
export function traceIdOf(traceparent: string): string {
  if (traceparent !== '') {
    const told = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent)?.[1]
    if (told !== undefined && !/^0+$/.test(told)) return told
  }
  return newTraceId()
}

const idBytes = 16
/** Random bytes for some hundred ids: asked for one by one they would cost several times as much. */
const randomPool = Buffer.allocUnsafe(256 * idBytes)
let poolUsed = randomPool.length

function newTraceId(): string {
  if (poolUsed === randomPool.length) {
    randomFillSync(randomPool)
    poolUsed = 0
  }
  poolUsed += idBytes
  return randomPool.toString('hex', poolUsed - idBytes, poolUsed)
}

const noHeaders: Readonly<Record<string, string>> = {}

function readHeaders(req: HttpRequest, names: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of names) {
    const value = req.getHeader(name)
    if (value !== '') headers[name] = value
  }
  return headers
}
