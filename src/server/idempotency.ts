import { createHash } from 'node:crypto'
import { Problem } from '../errors.ts'
import type { Reply } from './route.ts'
import { serverErrors } from './server-errors.ts'

export interface IdempotentRequest {
  readonly callerId: string
  /** Method and path pattern, such as `POST /api/v1/orders`. */
  readonly route: string
  readonly key: string
  /** Differs when the address or the body does. */
  readonly fingerprint: string
}

export type IdempotencyState =
  | { readonly state: 'new' }
  | { readonly state: 'done'; readonly status: number; readonly body: unknown }
  | { readonly state: 'running' }
  | { readonly state: 'mismatch' }

/** Remembers the answers of requests that carry an Idempotency-Key. */
export interface IdempotencyStore {
  /** Claims the key for this request when it is `new`; whoever is told so must finish or abandon it. */
  begin(request: IdempotentRequest): Promise<IdempotencyState>
  finish(
    request: IdempotentRequest,
    answer: { readonly status: number; readonly body: unknown },
  ): Promise<void>
  /** Forgets the claim, so that the same request may be tried again. */
  abandon(request: IdempotentRequest): Promise<void>
}

export interface OnceOptions {
  readonly store: IdempotencyStore
  readonly request: IdempotentRequest
  /** Told when the store failed after the handler had done its work: the answer stands all the same. */
  readonly onStoreFailure: (error: unknown) => void
}

/** Runs the handler, or repeats the answer that it gave before. Only successes are kept: a failure may be tried again. */
export async function answerOnce(options: OnceOptions, handle: () => Promise<Reply> | Reply): Promise<Reply> {
  const { store, request } = options
  const earlier = await store.begin(request)
  if (earlier.state === 'running') throw new Problem(serverErrors.in_progress, { retryAfterSeconds: 1 })
  if (earlier.state === 'mismatch') throw new Problem(serverErrors.idempotency_key_reused)
  if (earlier.state === 'done') {
    return { status: earlier.status, body: earlier.body, headers: { 'idempotency-replayed': 'true' } }
  }
  try {
    const reply = await handle()
    const isKept = reply.status >= 200 && reply.status < 300
    const kept = isKept
      ? store.finish(request, { status: reply.status, body: reply.body })
      : store.abandon(request)
    await kept.catch(options.onStoreFailure)
    return reply
  } catch (error) {
    await store.abandon(request).catch(options.onStoreFailure)
    throw error
  }
}

export function fingerprintOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
