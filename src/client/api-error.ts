import { z } from 'zod'
import type { FetchResponse } from './client-ports.ts'

/** What the server answers instead of what was asked for (RFC 9457). Members of single errors, such as `units`, stay. */
export const problemMessage = z.looseObject({
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.string().optional(),
  retryable: z.boolean().default(false),
  traceId: z.string().optional(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
})
export type ProblemMessage = z.infer<typeof problemMessage>

/** The server refused. `code` is one of its documented list, or `unexpected_answer` for what it should never say. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly code: string
  readonly status: number
  /** The same request may succeed later without being changed. */
  readonly retryable: boolean
  readonly retryAfterSeconds: number | undefined
  readonly problem: ProblemMessage

  constructor(problem: ProblemMessage, retryAfterSeconds?: number) {
    super(problem.detail ?? problem.title)
    this.code = problem.code
    this.status = problem.status
    this.retryable = problem.retryable
    this.retryAfterSeconds = retryAfterSeconds
    this.problem = problem
  }
}

/** No answer: whether the server did what was asked is not known. */
export class ConnectionError extends Error {
  override name = 'ConnectionError'
  /** The server asked not to be connected to again. */
  readonly isFinal: boolean

  constructor(message: string, options: { cause?: unknown; isFinal?: boolean } = {}) {
    super(message, { cause: options.cause })
    this.isFinal = options.isFinal ?? false
  }
}

/** Whether the error says one of these codes. */
export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof ApiError && codes.includes(error.code)
}

/** Whether asking again, unchanged, may help. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof ConnectionError) return !error.isFinal
  return error instanceof ApiError && error.retryable
}

/** The error that a response with a status of 400 or more stands for. */
export async function errorOfResponse(response: FetchResponse): Promise<ApiError> {
  const text = await response.text()
  const parsed = problemMessage.safeParse(jsonOrUndefined(text))
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterSeconds = Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
  if (parsed.success) return new ApiError(parsed.data, retryAfterSeconds)
  return new ApiError(unexpected(response.status, 'no problem document'), retryAfterSeconds)
}

/** An answer that is not what the protocol says. A proxy that cannot reach its server is worth another attempt. */
export function unexpected(status: number, detail: string): ProblemMessage {
  const retryable = [502, 503, 504].includes(status)
  return {
    title: 'The answer is not what was expected',
    status,
    code: 'unexpected_answer',
    detail: `${status}: ${detail}`,
    retryable,
  }
}

export function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
