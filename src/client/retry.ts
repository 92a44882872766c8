import { ApiError, isRetryable } from './api-error.ts'
import type { Time } from './client-ports.ts'

export interface RetryPolicy {
  /** Before the second attempt; doubles with every further one. */
  readonly baseMs: number
  readonly pauseMaxMs: number
  /** No attempt begins later than this after the first. 0: never again. */
  readonly withinMs: number
}

export const defaultRetryPolicy: RetryPolicy = { baseMs: 200, pauseMaxMs: 5_000, withinMs: 30_000 }

export interface RetryOptions {
  readonly policy: RetryPolicy
  readonly time: Time
  /** 0 ≤ random < 1. */
  readonly random: () => number
  readonly signal?: AbortSignal | undefined
}

/**
 * Does what may be done more than once until it succeeds, fails for good or takes too long. Waits between attempts:
 * longer each time, never the same as others do, and no shorter than the server asked for.
 */
export async function withRetries<T>(
  attempt: (attemptNumber: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { policy, time, signal } = options
  const startedMs = time.nowMs()
  for (let number = 0; ; number++) {
    try {
      return await attempt(number)
    } catch (error) {
      const pauseMs = pauseBefore(number + 1, error, options)
      const isLate = time.nowMs() + pauseMs - startedMs > policy.withinMs
      if (!isRetryable(error) || isLate || isAborted(signal)) throw error
      await time.wait(pauseMs, signal)
      if (isAborted(signal)) throw error
    }
  }
}

/** Half of the pause is fixed and half is chance, so that a crowd cut off together does not come back together. */
export function backOffMs(
  attemptNumber: number,
  { policy, random }: Pick<RetryOptions, 'policy' | 'random'>,
): number {
  const exponential = Math.min(policy.pauseMaxMs, policy.baseMs * 2 ** (attemptNumber - 1))
  return exponential * (0.5 + random() / 2)
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function pauseBefore(
  attemptNumber: number,
  error: unknown,
  options: Pick<RetryOptions, 'policy' | 'random'>,
): number {
  const askedSeconds = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) : 0
  const ownMs = backOffMs(attemptNumber, options)
  return askedSeconds > 0 ? askedSeconds * 1000 + options.random() * options.policy.baseMs : ownMs
}
