import type { Clock } from '../clock.ts'

/** An answer that takes longer is none. */
const patienceMs = 1_500

/** Asks a store again and again, but not before it has answered: one that hangs is asked once. */
export class Probe {
  readonly #ask: () => Promise<void>
  readonly #clock: Clock
  #askedAtMs: number | undefined
  #error: Error | undefined

  constructor(options: { ask: () => Promise<void>; clock: Clock }) {
    this.#ask = options.ask
    this.#clock = options.clock
  }

  /** It failed when it was asked last, or has not answered for long. */
  get isAway(): boolean {
    return this.#error !== undefined || this.#isLate()
  }

  get error(): Error | undefined {
    return this.#isLate() ? new Error(`no answer within ${patienceMs} ms`) : this.#error
  }

  /** What it answered last, where that was an error: to be slow is none. */
  get failure(): Error | undefined {
    return this.#error
  }

  look(): void {
    if (this.#askedAtMs !== undefined) return
    this.#askedAtMs = this.#clock.nowMs()
    this.#ask()
      .then(
        () => (this.#error = undefined),
        (error: unknown) => (this.#error = error instanceof Error ? error : new Error(String(error))),
      )
      .finally(() => (this.#askedAtMs = undefined))
  }

  #isLate(): boolean {
    return this.#askedAtMs !== undefined && this.#clock.nowMs() - this.#askedAtMs > patienceMs
  }
}
