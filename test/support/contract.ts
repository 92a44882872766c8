import { z } from 'zod'
import { errorCatalogue } from '../../src/error-catalogue.ts'

export const api = '/api/v1'

/** The parts of an OpenAPI document that tests go by. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
}

export type JsonSchema = Readonly<Record<string, unknown>>

export interface Operation {
  readonly security?: readonly unknown[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: 'path' | 'query' | 'header'
    readonly required?: boolean
    readonly schema: JsonSchema
  }[]
  readonly requestBody?: {
    readonly required?: boolean
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>
  }
  readonly responses: Readonly<
    Record<
      string,
      { readonly description: string; readonly content?: Readonly<Record<string, { schema: JsonSchema }>> }
    >
  >
}

/** An answer as a test sees it. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Of JSON; an empty object for everything else. */
  readonly body: Body
  readonly bytes: Buffer
}

/** JSON that was not looked at yet; read with `at`. */
export type Body = Readonly<Record<string, unknown>>

/** The value at a path such as `order.bookings.0.id`. */
export function at(value: unknown, path: string): unknown {
  let found = value
  for (const key of path.split('.')) found = (found as Record<string, unknown> | undefined)?.[key]
  return found
}

/** The text at a path; throws where there is none. */
export function textAt(value: unknown, path: string): string {
  const found = at(value, path)
  if (typeof found !== 'string') throw new Error(`no text at ${path} of ${JSON.stringify(value)}`)
  return found
}

const codes = new Map(errorCatalogue.map((error) => [error.code, error]))
/** What no client causes and any call may meet while stores or processes are away. */
const anywhere = new Set(['unavailable', 'overloaded', 'draining', 'timed_out', 'restoring'])

/** What the schemas of a document take; `schemas` are those that have a name. */
export class Shapes {
  readonly #schemas: Readonly<Record<string, JsonSchema>>
  readonly #known = new Map<JsonSchema, z.ZodType>()

  constructor(schemas: Readonly<Record<string, JsonSchema>>) {
    this.#schemas = schemas
  }

  /** Patterns that only an expression with the flag `u` understands are passed over. */
  of(schema: JsonSchema): z.ZodType {
    const known = this.#known.get(schema)
    if (known !== undefined) return known
    const text = JSON.stringify({ ...schema, $defs: this.#schemas })
    const resolved: unknown = JSON.parse(
      text.replaceAll('#/components/schemas/', '#/$defs/'),
      (key, value: unknown) =>
        key === 'pattern' && typeof value === 'string' && value.includes('\\p{') ? undefined : value,
    )
    const shape = z.fromJSONSchema(resolved as Parameters<typeof z.fromJSONSchema>[0])
    this.#known.set(schema, shape)
    return shape
  }
}

/** Holds answers against the OpenAPI document of the server that gave them. */
export class Contract {
  readonly #document: ApiDocument
  readonly #shapes: Shapes

  constructor(document: ApiDocument) {
    this.#document = document
    this.#shapes = new Shapes(document.components.schemas)
  }

  get operations(): { readonly method: string; readonly path: string; readonly operation: Operation }[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation,
      })),
    )
  }

  shapeOf(schema: JsonSchema): z.ZodType {
    return this.#shapes.of(schema)
  }

  /** What is wrong with an answer, in words; nothing for one that is as documented. */
  faults(method: string, url: string, answer: Answer): string[] {
    const { status } = answer
    const faults: string[] = []
    if (status >= 500 && status !== 503)
      faults.push(`a failure of the server: ${answer.bytes.toString().slice(0, 300)}`)
    const operation = this.#find(method, url)
    // Also where its status is one of errors, as where it is asked whether the server is ready.
    const isOwn =
      operation?.responses[String(status)]?.content?.['application/json'] !== undefined &&
      (answer.headers.get('content-type') ?? '').startsWith('application/json')
    const isProblem = status >= 400 && !isOwn
    if (isProblem) faults.push(...problemFaults(answer))
    if (operation === undefined) return faults
    if (isProblem) faults.push(...undocumented(operation, answer))
    else faults.push(...this.#shapeFaults(operation, answer))
    return faults.map((fault) => `${method} ${url.slice(0, 200)} → ${status}: ${fault}`)
  }

  #find(method: string, url: string): Operation | undefined {
    const parts = new URL(url, 'http://x').pathname.split('/')
    const found = this.operations.find(({ method: known, path }) => {
      const names = path.split('/')
      return (
        known === method && names.length === parts.length && names.every((name, i) => fits(name, parts[i]))
      )
    })
    return found?.operation
  }

  #shapeFaults(operation: Operation, { status, headers, body }: Answer): string[] {
    const documented = operation.responses[String(status)]
    if (documented === undefined) return [`status ${status} is not documented`]
    if (!(headers.get('content-type') ?? '').startsWith('application/json')) return []
    const schema = documented.content?.['application/json']?.schema
    if (schema === undefined) return []
    const parsed = this.shapeOf(schema).safeParse(body)
    return parsed.success ? [] : [`not of its schema: ${z.prettifyError(parsed.error)}`]
  }
}

/** Whether a part of a path is as documented, where `{…}` stands for any. */
export function fits(name: string, part: string | undefined): boolean {
  return name.startsWith('{') ? part !== undefined && part !== '' : name === part
}

function problemFaults({ status, headers, body }: Answer): string[] {
  const known = codes.get(String(body['code']))
  if (known === undefined) return [`the code ${String(body['code'])} is in no catalogue`]
  const wrong: string[] = []
  if (known.status !== status || body['status'] !== status)
    wrong.push(`${known.code} has the status ${known.status}`)
  if (!headers.get('content-type')?.startsWith('application/problem+json')) wrong.push('no problem+json')
  if (!/^[0-9a-f]{32}$/.test(String(body['traceId']))) wrong.push('no trace id')
  if (headers.get('trace-id') !== body['traceId']) wrong.push('another trace id in the header')
  if (typeof body['detail'] !== 'string' || body['detail'] === '') wrong.push('no detail')
  if ((status === 503 || status === 429) && headers.get('retry-after') === null) wrong.push('no Retry-After')
  return wrong
}

function undocumented(operation: Operation, { status, body }: Answer): string[] {
  const code = String(body['code'])
  if (anywhere.has(code)) return []
  const listed = operation.responses[String(status)]?.description.includes(`\`${code}\``) ?? false
  return listed ? [] : [`${code} is not documented for this call`]
}
