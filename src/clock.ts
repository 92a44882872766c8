/** The process's clock and timers, injected so that tests own time. Deadlines that matter are decided by the stores. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
  /** Resolves after `ms`, or at once when the signal aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const finish = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, ms)
      signal?.addEventListener('abort', finish, { once: true })
    }),
}

/** What a promise resolves to; rejects when that takes longer than `ms`. */
export async function inTime<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T> {
  const stop = new AbortController()
  const late = clock.wait(ms, stop.signal).then(() => {
    throw new Error(`it took longer than ${ms} ms`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    stop.abort()
  }
}
