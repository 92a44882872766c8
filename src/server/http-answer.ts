import { STATUS_CODES } from 'node:http'
import type { HttpResponse } from 'uWebSockets.js'
import type { Problem } from '../errors.ts'
import { problemDocument } from './problem-document.ts'
import type { Reply } from './route.ts'

/** A reply in the form that goes out. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string | Uint8Array
  readonly headers: Reply['headers']
}

export interface AnswerOptions {
  readonly traceId: string
  /** The foreign origin that may read the answer; empty for none. */
  readonly corsOrigin: string
  readonly isHead: boolean
  readonly closesConnection: boolean
}

/** Throws for a body that is no JSON and for a header that would break out of its line. */
export function encodeReply(reply: Reply): Answer {
  const { status, body, contentType, headers } = reply
  if (headers) mustBeHeaders(headers)
  if (contentType !== undefined) mustBeHeaders({ 'content-type': contentType })
  if (body === undefined) return { status, contentType: '', body: '', headers }
  if (contentType === undefined) return { status, contentType: jsonType, body: JSON.stringify(body), headers }
  if (typeof body !== 'string' && !(body instanceof Uint8Array))
    throw new TypeError('A typed body is text or bytes')
  return { status, contentType, body, headers }
}

export function encodeProblem(problem: Problem, traceId: string, headers?: Reply['headers']): Answer {
  const { definition, options } = problem
  const { status } = definition
  const retryAfterSeconds = options.retryAfterSeconds ?? (status === 503 || status === 429 ? 1 : undefined)
  return {
    status,
    contentType: 'application/problem+json',
    body: JSON.stringify(problemDocument(problem, traceId)),
    headers: {
      ...headers,
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(Math.ceil(retryAfterSeconds)) }),
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    },
  }
}

/** Writes the whole answer in one go. The response may not be touched afterwards. */
export function writeAnswer(res: HttpResponse, answer: Answer, options: AnswerOptions): void {
  const isBodiless = answer.status === 204 || answer.status === 304
  res.cork(() => {
    writeHead(res, answer, options)
    if (isBodiless || options.isHead) endWithoutBody(res, isBodiless ? undefined : answer.body, options)
    else res.end(answer.body, options.closesConnection)
  })
}

/**
 * The web server's own way of naming a length without sending a body leaves the request open, and the next one on the
 * same connection would end it; so the headers are written by hand and it is told of no length.
 */
function endWithoutBody(res: HttpResponse, unsent: Answer['body'] | undefined, options: AnswerOptions): void {
  if (unsent !== undefined) res.writeHeader('Content-Length', String(Buffer.byteLength(unsent)))
  if (options.closesConnection) res.writeHeader('Connection', 'close')
  res.endWithoutBody()
}

export function writeHead(
  res: HttpResponse,
  answer: Pick<Answer, 'status' | 'contentType' | 'headers'>,
  options: Pick<AnswerOptions, 'traceId' | 'corsOrigin'>,
): void {
  const { status, contentType, headers } = answer
  res.writeStatus(statusLine(status))
  const isPlain = contentType === jsonType && headers?.['cache-control'] === undefined
  res.writeHeader(isPlain ? plainLines : commonLines(contentType, headers), options.traceId)
  if (options.corsOrigin !== '') {
    res.writeHeader('Access-Control-Allow-Origin', options.corsOrigin)
    res.writeHeader('Access-Control-Expose-Headers', 'Trace-Id, Retry-After, ETag')
    res.writeHeader('Vary', 'Origin')
  }
  if (headers) writeHeaders(res, headers)
}

/** Does the client hold what the tag names? Weak and strong tags compare alike for reading. */
export function isTagHeld(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === '*') return true
  const bare = etag.replace(/^W\//, '')
  return ifNoneMatch.split(',').some((held) => held.trim().replace(/^W\//, '') === bare)
}

const jsonType = 'application/json; charset=utf-8'

/**
 * The lines that stand in every answer, up to the name of the last one, whose value is the trace id. They are written
 * by one call: each call into the web server costs as much as half a validation.
 */
function commonLines(contentType: string, headers: Reply['headers']): string {
  const type = contentType === '' ? '' : `Content-Type: ${contentType}\r\n`
  const caching = headers?.['cache-control'] === undefined ? 'Cache-Control: no-store\r\n' : ''
  return `${type}${caching}X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nTrace-Id`
}

const plainLines = commonLines(jsonType, undefined)

const statusLines = new Map(
  Object.entries(STATUS_CODES).map(([code, text]) => [Number(code), `${code} ${text}`]),
)

function statusLine(status: number): string {
  return statusLines.get(status) ?? String(status)
}

function writeHeaders(res: HttpResponse, headers: NonNullable<Reply['headers']>): void {
  for (const [name, value] of Object.entries(headers)) {
    for (const line of typeof value === 'string' ? [value] : value) res.writeHeader(name, line)
  }
}

function mustBeHeaders(headers: NonNullable<Reply['headers']>): void {
  for (const [name, value] of Object.entries(headers)) {
    for (const line of [name, value].flat()) {
      if (/[\0\r\n]/.test(line)) throw new TypeError(`The header ${JSON.stringify(name)} is not one line`)
    }
  }
}
