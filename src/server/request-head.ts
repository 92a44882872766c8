import { randomUUID } from 'node:crypto'
import type { HttpRequest } from 'uWebSockets.js'
import type { EndpointPlan } from './endpoint-plan.ts'
import type { Credentials } from './session.ts'

/** All that is wanted of a request, read while the web server still holds it: not later than the handler's first turn. */
export interface RequestHead {
  readonly method: string
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
    method: req.getMethod(),
    credentials: readCredentials(req, plan.isUnsafe || options.hasAllowedOrigins),
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

export function readCredentials(req: HttpRequest, withOrigin: boolean): Credentials {
  const authorization = req.getHeader('authorization')
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
  return randomUUID().replaceAll('-', '')
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
