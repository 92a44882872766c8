import type { Clock } from '../clock.ts'

/** Does something at once, and when it is asked for again soon after, once more when the time has passed. */
export class Throttle {
  readonly #options: { readonly clock: Clock; readonly everyMs: () => number; readonly work: () => void }
  readonly #stopped = new AbortController()
  #doneAtMs = Number.NEGATIVE_INFINITY
  #isDue = false

  constructor(options: { readonly clock: Clock; readonly everyMs: () => number; readonly work: () => void }) {
    this.#options = options
  }

  run(): void {
    if (this.#isDue || this.#stopped.signal.aborted) return
    this.#isDue = true
    void this.#whenDue()
  }

  /** Does it now. */
  flush(): void {
    this.#isDue = false
    if (this.#stopped.signal.aborted) return
    this.#doneAtMs = this.#options.clock.nowMs()
    this.#options.work()
  }

  stop(): void {
    this.#stopped.abort()
  }

  async #whenDue(): Promise<void> {
    const { clock, everyMs } = this.#options
    const inMs = this.#doneAtMs + everyMs() - clock.nowMs()
    if (inMs > 0) await clock.wait(inMs, this.#stopped.signal)
    if (this.#isDue) this.flush()
  }
}
