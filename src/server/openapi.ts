import { z } from 'zod'
import {
  createDocument,
  type ZodOpenApiContentObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiRequestBodyObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi'
import { generalErrors, type ErrorDefinition } from '../errors.ts'
import type { Auth, Endpoint, ResponseSpec, Route, Stream } from './route.ts'
import { serverErrors } from './server-errors.ts'

export interface OpenApiSource {
  readonly endpoints: readonly Endpoint[]
  /** Every error there is, of all areas. */
  readonly errors: readonly ErrorDefinition[]
  readonly version: string
  readonly publicUrl?: string
}

/** The OpenAPI 3.1 document of the endpoints, written from the very schemas that validate their requests. */
export function openApiDocument({ endpoints, errors, version, publicUrl }: OpenApiSource): object {
  const paths: ZodOpenApiPathsObject = {}
  for (const endpoint of endpoints.filter(({ hidden }) => hidden !== true)) {
    const method = endpoint.method.toLowerCase()
    paths[endpoint.path] = { ...paths[endpoint.path], [method]: operationOf(endpoint) }
  }
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'Openrun', version, description },
    ...(publicUrl !== undefined && { servers: [{ url: publicUrl }] }),
    paths,
    components: {
      schemas: { Problem: problem, ErrorCode: errorCode(errors) },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: "An access token, or an organiser's key" },
        cookie: { type: 'apiKey', in: 'cookie', name: 'openrun_session' },
      },
    },
  })
}

const description = [
  'Times are ISO 8601, money is an integer of the currency’s minor unit. Errors are `application/problem+json`;',
  'their `code` is one of `ErrorCode`, described at `/docs/errors`. Each answer carries its `Trace-Id`. What flows',
  'over the WebSocket and in event streams is described at [`/asyncapi.json`](/asyncapi.json).',
].join(' ')

const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    retryable: z.boolean(),
    traceId: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'An error (RFC 9457)' })

function errorCode(errors: readonly ErrorDefinition[]): z.ZodType {
  const lines = errors.map(({ code, status, title }) => `- \`${code}\` (${status}): ${title}`)
  const codes = errors.map(({ code }) => code)
  return z.enum(codes).meta({ id: 'ErrorCode', description: lines.join('\n') })
}

function operationOf(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { params, query, headers, summary, tag } = endpoint
  const isIdempotent = endpoint.kind === 'route' && endpoint.idempotent === true
  return {
    summary,
    ...(endpoint.description !== undefined && { description: endpoint.description }),
    tags: [tag],
    security: securityOf[endpoint.auth],
    requestParams: {
      ...(params && { path: params }),
      ...(query && { query }),
      ...((headers ?? isIdempotent) && { header: headersOf(headers, isIdempotent) }),
    },
    ...(endpoint.kind === 'route' &&
      endpoint.body && { requestBody: requestBodyOf(endpoint.body, endpoint.bodyTypes) }),
    responses: joined(successesOf(endpoint), failuresOf(endpoint)),
  }
}

const securityOf: Readonly<Record<Auth, Record<string, string[]>[]>> = {
  nobody: [],
  public: [],
  account: [{ bearer: [] }, { cookie: [] }],
  organiser: [{ bearer: [] }],
  any: [{ bearer: [] }, { cookie: [] }],
}

const idempotencyKey = z.string().max(255).optional().meta({
  description: 'Chosen by the client; a repeated request with it gets the first answer again, for 24 hours',
})

function headersOf(headers: z.ZodObject | undefined, isIdempotent: boolean): z.ZodObject {
  return z.object({ ...headers?.shape, ...(isIdempotent && { 'idempotency-key': idempotencyKey }) })
}

function requestBodyOf(schema: z.ZodType, types: Route['bodyTypes']): ZodOpenApiRequestBodyObject {
  if (types !== undefined) {
    // Bytes have no schema beside their type.
    return { required: true, content: Object.fromEntries(types.map((type) => [type, {}])) }
  }
  return { required: !schema.safeParse(undefined).success, content: { 'application/json': { schema } } }
}

/** A status may stand for an answer of the route's own and for an error, as where one asks whether it is ready. */
function joined(
  own: Readonly<Record<string, DocumentedAnswer>>,
  failures: Readonly<Record<string, DocumentedAnswer>>,
): ZodOpenApiResponsesObject {
  const both = Object.entries(own).flatMap(([status, answer]) => {
    const failure = failures[status]
    if (!failure) return []
    const description = `${answer.description}\n${failure.description}`
    return [[status, { description, content: { ...answer.content, ...failure.content } }]]
  })
  return { ...own, ...failures, ...Object.fromEntries(both) } as ZodOpenApiResponsesObject
}

interface DocumentedAnswer {
  readonly description: string
  readonly content?: ZodOpenApiContentObject
}

function successesOf(endpoint: Endpoint): Record<string, DocumentedAnswer> {
  if (endpoint.kind === 'stream') return { '200': eventsOf(endpoint) }
  const entries = Object.entries(endpoint.responses).map(([status, spec]) => [status, responseOf(spec)])
  return Object.fromEntries(entries) as Record<string, DocumentedAnswer>
}

function responseOf(spec: ResponseSpec): DocumentedAnswer {
  const { contentType = 'application/json', schema } = spec
  if (!schema && spec.contentType === undefined) return { description: spec.description }
  return { description: spec.description, content: { [contentType]: { schema: schema ?? z.string() } } }
}

/** OpenAPI 3.1 cannot describe single events, so they stand in the text and, by name, as alternatives of the data. */
function eventsOf({ events }: Stream): DocumentedAnswer {
  const lines = Object.entries(events).map(([name, spec]) => `- \`${name}\`: ${spec.description}`)
  const data = Object.values(events).flatMap(({ schema }) => (schema ? [schema] : []))
  const schema = data.length === 0 ? z.string() : z.union(data)
  return {
    description: `Server-sent events, their data as JSON:\n${lines.join('\n')}`,
    content: { 'text/event-stream': { schema } },
  }
}

function failuresOf(endpoint: Endpoint): Record<string, DocumentedAnswer> {
  const byStatus = new Map<number, Set<ErrorDefinition>>()
  for (const error of [...edgeErrorsOf(endpoint), ...(endpoint.errors ?? [])]) {
    byStatus.set(error.status, (byStatus.get(error.status) ?? new Set()).add(error))
  }
  const responses: Record<string, DocumentedAnswer> = {}
  for (const [status, errors] of byStatus) {
    const lines = [...errors].map(({ code, title }) => `- \`${code}\`: ${title}`)
    const content = { 'application/problem+json': { schema: problem } }
    responses[String(status)] = { description: lines.join('\n'), content }
  }
  return responses
}

/** What the adapter itself may answer at this endpoint. */
function edgeErrorsOf(endpoint: Endpoint): ErrorDefinition[] {
  const { params, query, headers, auth } = endpoint
  const body = endpoint.kind === 'route' ? endpoint.body : undefined
  return [
    ...(params || query ? [serverErrors.malformed_url] : []),
    ...(body
      ? [serverErrors.malformed_json, serverErrors.body_too_large, serverErrors.unsupported_media_type]
      : []),
    // Also where nobody has to say who they are: whoever does is believed or refused.
    ...(auth === 'nobody' ? [] : [generalErrors.unauthenticated]),
    ...(auth === 'account' || auth === 'organiser' ? [generalErrors.forbidden] : []),
    ...(endpoint.method === 'GET' ? [] : [serverErrors.foreign_origin]),
    ...((params ?? query ?? headers ?? body) ? [generalErrors.invalid_request] : []),
    ...(isKept(endpoint) ? [serverErrors.in_progress, serverErrors.idempotency_key_reused] : []),
    generalErrors.internal,
    serverErrors.overloaded,
    serverErrors.draining,
    serverErrors.timed_out,
  ]
}

function isKept(endpoint: Endpoint): endpoint is Route {
  return endpoint.kind === 'route' && endpoint.idempotent === true
}
