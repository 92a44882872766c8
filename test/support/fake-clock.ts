import type { Clock } from '../../src/clock.ts'

interface Waiter {
  readonly atMs: number
  readonly wake: () => void
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #nowMs: number
  #waiters: Waiter[] = []

  constructor(nowMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  /** How many wait for this clock now. */
  get waiting(): number {
    return this.#waiters.length
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted || ms <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const waiter: Waiter = { atMs: this.#nowMs + ms, wake }
      this.#waiters.push(waiter)
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  /** Moves on and wakes whoever is due, in the order of their times, each at its own moment. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const [next] = this.#waiters.filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#nowMs = next.atMs
      next.wake()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    this.#nowMs = untilMs
  }
}
