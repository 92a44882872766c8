import type { Time } from '../../src/client/client-ports.ts'

/** A clock on which short waits are over at once and are written down. Longer ones, such as time limits, never end. */
export class SwiftTime implements Time {
  readonly waits: number[] = []
  readonly #shortMs: number
  #nowMs = Date.UTC(2026, 0, 1)

  constructor(shortMs = 8_000) {
    this.#shortMs = shortMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    if (ms <= this.#shortMs) {
      this.waits.push(ms)
      this.#nowMs += ms
      return new Promise((resolve) => setImmediate(resolve))
    }
    return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
  }
}
