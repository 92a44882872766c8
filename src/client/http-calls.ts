import type { z } from 'zod'
import type { Addresses } from './addresses.ts'
import {
  ApiError,
  ConnectionError,
  errorOfResponse,
  isCode,
  jsonOrUndefined,
  unexpected,
} from './api-error.ts'
import type { Fetch, FetchInit, FetchResponse, Time } from './client-ports.ts'
import { withRetries, type RetryPolicy } from './retry.ts'

/** One logical call: however often it is sent, it happens once. */
export interface Call<T> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** From `/api/v1` on. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** The shape of the answer; without one the answer has no content. */
  readonly answer?: z.ZodType<T>
  /** Sends one Idempotency-Key with every attempt. */
  readonly once?: boolean
  /** Codes that say, from the second attempt on, that an earlier one has done it. */
  readonly doneCodes?: readonly string[]
  readonly signal?: AbortSignal | undefined
}

export interface HttpCallsOptions {
  readonly addresses: Addresses
  readonly token: string | undefined
  readonly fetch: Fetch
  readonly time: Time
  readonly random: () => number
  readonly newKey: () => string
  readonly retry: RetryPolicy
  readonly timeoutMs: number
}

/** Sends calls, again where that is safe and may help, and checks what comes back. */
export class HttpCalls {
  readonly #options: HttpCallsOptions

  constructor(options: HttpCallsOptions) {
    this.#options = options
  }

  /** Resolves to the checked answer. Throws ApiError and ConnectionError. */
  async send<T>(call: Call<T>): Promise<T> {
    const { retry, time, random, newKey } = this.#options
    const init = this.#init(call, call.once === true ? newKey() : undefined)
    const attempt = async (number: number): Promise<T> => {
      try {
        return await this.#attempt(call, init)
      } catch (error) {
        if (number > 0 && isCode(error, ...(call.doneCodes ?? []))) return undefined as T
        throw error
      }
    }
    return await withRetries(attempt, { policy: retry, time, random, signal: call.signal })
  }

  /** Opens a response whose body goes on. The caller reads it and ends it with the signal. */
  async open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<FetchResponse> {
    const init: FetchInit = { method: 'GET', headers: { ...this.#identity(), ...headers }, signal }
    const response = await this.#fetch(path, init)
    if (response.status >= 400) throw await this.#refusal(response)
    return response
  }

  /** A server that is about to stop, or a proxy without one, sends the client elsewhere. */
  async #refusal(response: FetchResponse): Promise<ApiError> {
    const { addresses } = this.#options
    const address = addresses.current
    const error = await errorOfResponse(response)
    if (isCode(error, 'draining', 'overloaded', 'unexpected_answer') && error.retryable) {
      addresses.noteFailure(address)
    }
    return error
  }

  #init<T>({ method, body, headers }: Call<T>, key: string | undefined): FetchInit {
    const all = {
      accept: 'application/json',
      ...this.#identity(),
      ...headers,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    }
    return { method, headers: all, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  }

  #identity(): Record<string, string> {
    const { token } = this.#options
    return token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  async #attempt<T>(call: Call<T>, init: FetchInit): Promise<T> {
    const { status, text } = await this.#within(call.signal, async (signal) => {
      const response = await this.#fetch(call.path + queryText(call.query), { ...init, signal })
      if (response.status >= 400) throw await this.#refusal(response)
      return { status: response.status, text: await response.text() }
    })
    if (call.answer === undefined) return undefined as T
    const parsed = call.answer.safeParse(jsonOrUndefined(text))
    if (parsed.success) return parsed.data
    const issue = parsed.error.issues[0]
    throw new ApiError(unexpected(status, `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`))
  }

  async #fetch(path: string, init: FetchInit): Promise<FetchResponse> {
    const { addresses, fetch } = this.#options
    const address = addresses.current
    try {
      return await fetch(address + path, init)
    } catch (cause) {
      if (init.signal?.aborted !== true || init.signal.reason === timedOut) addresses.noteFailure(address)
      throw asConnectionError(cause, address)
    }
  }

  /** Gives up when the caller does, or when no answer came in time. */
  async #within<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { time, timeoutMs } = this.#options
    const [answered, gone] = [new AbortController(), new AbortController()]
    const leave = (): void => gone.abort()
    signal?.addEventListener('abort', leave, { once: true })
    if (signal?.aborted === true) leave()
    void time.wait(timeoutMs, answered.signal).then(() => {
      if (!answered.signal.aborted) gone.abort(timedOut)
    })
    try {
      return await work(gone.signal)
    } catch (error) {
      if (error instanceof ApiError || error instanceof ConnectionError) throw error
      throw asConnectionError(error, this.#options.addresses.current)
    } finally {
      // With a reason, because making the default one costs more than all the rest of this.
      answered.abort(null)
      signal?.removeEventListener('abort', leave)
    }
  }
}

const timedOut = new Error('no answer in time')

function asConnectionError(cause: unknown, address: string): ConnectionError {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const why = inner instanceof Error ? inner.message || inner.name : String(inner)
  return new ConnectionError(`${address} cannot be reached: ${why}`, { cause })
}

function queryText(query: Call<unknown>['query']): string {
  const given = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}
