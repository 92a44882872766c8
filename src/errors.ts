/**
 * The errors a client can meet. Each area keeps its own list beside its code, made with `defineErrors`;
 * `error-catalogue.ts` puts the lists together, and the docs and the OpenAPI document are written from it.
 * Only the text given here and in `detail` ever reaches a client; a `cause` stays in the log.
 */
export interface ErrorDefinition {
  readonly code: string
  /** HTTP status. */
  readonly status: number
  /** One short sentence, the same for every occurrence. */
  readonly title: string
  /** What the caller can do about it. */
  readonly advice: string
  /** The same request may succeed later without being changed. */
  readonly retryable: boolean
}

type Definitions = Readonly<Record<string, Omit<ErrorDefinition, 'code'>>>

export function defineErrors<const T extends Definitions>(
  definitions: T,
): { readonly [K in keyof T & string]: ErrorDefinition & { readonly code: K } } {
  const entries = Object.entries(definitions).map(([code, rest]) => [code, { code, ...rest }])
  return Object.fromEntries(entries) as { [K in keyof T & string]: ErrorDefinition & { code: K } }
}

/** A bad field of a request: a path such as `units.0.quantity` and what is wrong with it. */
export interface FieldError {
  readonly field: string
  readonly message: string
}

export interface ProblemOptions {
  /** What happened this time, for the caller to read. */
  readonly detail?: string
  readonly errors?: readonly FieldError[]
  readonly retryAfterSeconds?: number
  /** Members added to the problem document, such as the units that are taken. */
  readonly extra?: Readonly<Record<string, unknown>>
  /** For the log only. */
  readonly cause?: unknown
}

/** The one error that a use-case throws on purpose. The edge turns it into problem+json or a close code. */
export class Problem extends Error {
  readonly definition: ErrorDefinition
  readonly options: ProblemOptions

  constructor(definition: ErrorDefinition, options: ProblemOptions = {}) {
    super(options.detail ?? definition.title, { cause: options.cause })
    this.name = 'Problem'
    this.definition = definition
    this.options = options
  }

  get code(): string {
    return this.definition.code
  }
}

/** Errors of the house itself, of no area. */
export const generalErrors = defineErrors({
  invalid_request: {
    status: 422,
    title: 'The request does not have the expected shape',
    advice: 'Mend the fields named in `errors`.',
    retryable: false,
  },
  unauthenticated: {
    status: 401,
    title: 'This call needs an account',
    advice: 'Get an access token, for example from POST /api/v1/auth/guest, and send it as a Bearer token.',
    retryable: false,
  },
  forbidden: {
    status: 403,
    title: 'This account may not do that',
    advice: 'Use the key of the organiser to whom it belongs.',
    retryable: false,
  },
  internal: {
    status: 500,
    title: 'Something went wrong here',
    advice: 'Try again; if it stays, give the trace id to whoever runs the server.',
    retryable: true,
  },
  unavailable: {
    status: 503,
    title: 'A store that this call needs cannot be reached',
    advice: 'Try again after the time named in Retry-After.',
    retryable: true,
  },
})
