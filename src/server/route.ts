import type { z } from 'zod'
import type { ErrorDefinition } from '../errors.ts'
import type { IdKind } from '../ids.ts'
import type { AccountCaller, Caller, OrganiserCaller } from './caller.ts'
import type { EventStream } from './sse.ts'

/**
 * One call of the API, declared once: requests are validated, and the OpenAPI document is written, from this.
 * Where a schema is absent that part of the request is not read at all.
 */
export function defineRoute<
  A extends Auth,
  P extends z.ZodObject = never,
  Q extends z.ZodObject = never,
  H extends z.ZodObject = never,
  B extends z.ZodType = never,
>(spec: RouteSpec<A, P, Q, H, B>): Route {
  return { kind: 'route', ...spec } as Route
}

/** One stream of server-sent events, declared like a route. Its method is always GET. */
export function defineStream<
  A extends Auth,
  P extends z.ZodObject = never,
  Q extends z.ZodObject = never,
  H extends z.ZodObject = never,
>(spec: StreamSpec<A, P, Q, H>): Stream {
  return { kind: 'stream', method: 'GET', ...spec } as Stream
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * Who may call. `public` takes everybody, and still knows the caller of a valid token or key; `any` takes an account
 * or an organiser; `nobody` takes everybody and does not look at who it is.
 */
export type Auth = 'nobody' | 'public' | 'account' | 'organiser' | 'any'

export type CallerOf<A extends Auth> = A extends 'account'
  ? AccountCaller
  : A extends 'organiser'
    ? OrganiserCaller
    : A extends 'any'
      ? Caller
      : Caller | undefined

/** What a handler is given: every part validated. */
export interface RequestContext<
  Who = unknown,
  Params = unknown,
  Query = unknown,
  Headers = unknown,
  Body = unknown,
> {
  readonly caller: Who
  readonly params: Params
  readonly query: Query
  readonly headers: Headers
  readonly body: Body
  readonly traceId: string
  /** The client's address: of the socket, or as told by the trusted proxies. */
  readonly address: string
  /** Aborts when the client goes away or the time for the answer is over. */
  readonly signal: AbortSignal
  /** A new id; the same one again for a request repeated with its Idempotency-Key. */
  readonly newId: (kind: IdKind) => string
  /** The request carries an Idempotency-Key: an earlier try may have made what it asks for. */
  readonly isRepeatable: boolean
}

export interface Reply {
  readonly status: number
  /** Sent as JSON, or as it is when `contentType` says what it is. Absent: no body. */
  readonly body?: unknown
  readonly contentType?: string
  /** Names in lower case. `cache-control` replaces the default `no-store`; an `etag` answers If-None-Match. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

export interface ResponseSpec {
  readonly description: string
  readonly schema?: z.ZodType
  readonly contentType?: string
}

interface EndpointSpec<A extends Auth, P, Q, H> {
  /** Parameters in braces: `/api/v1/sales/{sale}`. */
  readonly path: string
  readonly summary: string
  readonly description?: string
  readonly tag: string
  readonly auth: A
  readonly params?: P
  readonly query?: Q
  /** Header names in lower case. */
  readonly headers?: H
  /** What can go wrong beyond the errors that the edge itself can answer; for the documents. */
  readonly errors?: readonly ErrorDefinition[]
  /** Answered also while the process drains or is overloaded. */
  readonly always?: boolean
  /** Left out of the OpenAPI document. */
  readonly hidden?: boolean
}

export interface RouteSpec<A extends Auth, P, Q, H, B> extends EndpointSpec<A, P, Q, H> {
  readonly method: Method
  readonly body?: B
  /** Types of a body that is taken as it is, as a Uint8Array; JSON where absent. */
  readonly bodyTypes?: readonly string[]
  /** Bytes; the server's own limit where absent. */
  readonly bodyBytesMax?: number
  /** By status. */
  readonly responses: Readonly<Record<number, ResponseSpec>>
  /** An Idempotency-Key is honoured: the first answer is kept and repeated. Never for answers with a token in them. */
  readonly idempotent?: boolean
  handle(context: ContextOf<A, P, Q, H, B>): Promise<Reply> | Reply
}

export interface StreamSpec<A extends Auth, P, Q, H> extends EndpointSpec<A, P, Q, H> {
  /** What is sent, by the name of the event. */
  readonly events: Readonly<Record<string, ResponseSpec>>
  /**
   * Begins to send. A Problem thrown before the first event is answered as usual; afterwards it ends the stream.
   * Register what is to be undone with `stream.onClose` before the first `await` that may outlive the client.
   */
  open(context: ContextOf<A, P, Q, H, never>, stream: EventStream): Promise<void> | void
}

type Parsed<S> = [S] extends [never] ? undefined : S extends z.ZodType ? z.output<S> : undefined

type ContextOf<A extends Auth, P, Q, H, B> = RequestContext<
  CallerOf<A>,
  Parsed<P>,
  Parsed<Q>,
  Parsed<H>,
  Parsed<B>
>

/** A route as the adapter sees it, its schemas' types forgotten. */
export interface Route extends EndpointSpec<Auth, z.ZodObject, z.ZodObject, z.ZodObject> {
  readonly kind: 'route'
  readonly method: Method
  readonly body?: z.ZodType
  readonly bodyTypes?: readonly string[]
  readonly bodyBytesMax?: number
  readonly responses: Readonly<Record<number, ResponseSpec>>
  readonly idempotent?: boolean
  handle(context: RequestContext): Promise<Reply> | Reply
}

export interface Stream extends EndpointSpec<Auth, z.ZodObject, z.ZodObject, z.ZodObject> {
  readonly kind: 'stream'
  readonly method: 'GET'
  readonly events: Readonly<Record<string, ResponseSpec>>
  open(context: RequestContext, stream: EventStream): Promise<void> | void
}

export type Endpoint = Route | Stream
