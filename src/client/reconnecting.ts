import { Observable, type Subscription } from 'rxjs'
import { isRetryable } from './api-error.ts'
import type { Time } from './client-ports.ts'
import { backOffMs, type RetryPolicy } from './retry.ts'

export interface ReconnectOptions {
  readonly time: Time
  readonly random: () => number
  readonly policy: RetryPolicy
  /** How long the server asked to wait, in milliseconds. */
  readonly hintMs?: () => number | undefined
  /** Told of each cut and of the pause that follows it. */
  readonly onCut?: (error: unknown, pauseMs: number) => void
}

/** Subscribes again whenever the source is cut off, for as long as it takes. Errors that will not pass are passed on. */
export function reconnecting<T>(connect: () => Observable<T>, options: ReconnectOptions): Observable<T> {
  return new Observable((listener) => {
    const over = new AbortController()
    let attempts = 0
    let inner: Subscription | undefined
    const again = async (error: unknown): Promise<void> => {
      if (!isRetryable(error)) return listener.error(error)
      attempts++
      const pauseMs = options.hintMs?.() ?? backOffMs(attempts, options)
      options.onCut?.(error, pauseMs)
      await options.time.wait(pauseMs, over.signal)
      if (!over.signal.aborted) open()
    }
    const open = (): void => {
      inner = connect().subscribe({
        next: (value) => {
          attempts = 0
          listener.next(value)
        },
        error: (error: unknown) => void again(error),
        complete: () => listener.complete(),
      })
    }
    open()
    return () => {
      over.abort()
      inner?.unsubscribe()
    }
  })
}
