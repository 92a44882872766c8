import { generalErrors, Problem, type ErrorDefinition, type FieldError } from '../errors.ts'

/** An error as a client sees it (RFC 9457, plus the members named in the API's description). */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly retryable: boolean
  readonly traceId: string
  readonly errors?: readonly FieldError[]
  readonly [extra: string]: unknown
}

export function problemDocument(problem: Problem, traceId: string): ProblemDocument {
  const { definition, options } = problem
  return {
    ...options.extra,
    type: problemType(definition),
    title: definition.title,
    status: definition.status,
    detail: options.detail ?? definition.advice,
    code: definition.code,
    retryable: definition.retryable,
    traceId,
    ...(options.errors && { errors: options.errors }),
  }
}

/** Where a person can read about the error; a reference relative to the server. */
function problemType(definition: ErrorDefinition): string {
  return `/docs/errors#${definition.code}`
}

/** Anything thrown, as a Problem. What was not thrown on purpose becomes `internal`, its text kept as the cause for the log. */
export function toProblem(thrown: unknown): Problem {
  return thrown instanceof Problem ? thrown : new Problem(generalErrors.internal, { cause: thrown })
}
