import type { z } from 'zod'
import { generalErrors, Problem, type FieldError } from '../errors.ts'
import type { Exchange } from './exchange.ts'
import { mustParseJson } from './json-text.ts'
import { mustDecodeSegment, mustParseQuery } from './url-text.ts'

/** Fills the exchange with what the endpoint's schemas make of the request. Throws the Problem that says what is wrong. */
export function readInputs(exchange: Exchange, body: string | Uint8Array): void {
  const { endpoint, parameterNames } = exchange.plan
  const { head } = exchange
  if (endpoint.params) {
    const named: Record<string, string> = {}
    parameterNames.forEach((name, index) => (named[name] = mustDecodeSegment(head.segments[index] ?? '')))
    exchange.params = mustMatch(endpoint.params, named)
  }
  if (endpoint.query) exchange.query = mustMatch(endpoint.query, mustParseQuery(head.query))
  if (endpoint.headers) exchange.headers = mustMatch(endpoint.headers, head.headers)
  if (endpoint.kind === 'route' && endpoint.body) {
    exchange.body = mustMatch(endpoint.body, typeof body === 'string' ? jsonOf(body) : body)
  }
  if (head.idempotencyKey.length > idempotencyKeyCharsMax) {
    const message = `at most ${idempotencyKeyCharsMax} characters`
    throw new Problem(generalErrors.invalid_request, { errors: [{ field: 'idempotency-key', message }] })
  }
}

function jsonOf(text: string): unknown {
  return text === '' ? undefined : mustParseJson(text)
}

/** The value as the schema gives it. Throws `invalid_request` with the bad fields. */
export function mustMatch<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Problem(generalErrors.invalid_request, { errors: fieldErrors(parsed.error) })
}

const idempotencyKeyCharsMax = 255
// A body can have thousands of wrong fields with names as long as it likes; the answer stays small.
const errorsMax = 20
const charsMax = 200

function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.slice(0, errorsMax).map((issue) => ({
    field: issue.path.map(String).join('.').slice(0, charsMax),
    message: issue.message.slice(0, charsMax),
  }))
}
