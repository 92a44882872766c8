import type { Clock } from '../clock.ts'
import { Probe } from './probe.ts'

/** How long something has not been reached, by looks that come again and again. */
export class Reach {
  readonly #probe: Probe
  readonly #clock: Clock
  #sinceMs: number | undefined

  constructor(options: { ask: () => Promise<void>; clock: Clock }) {
    this.#probe = new Probe(options)
    this.#clock = options.clock
  }

  /** Milliseconds; 0 while it answers. */
  get awayMs(): number {
    return this.#sinceMs === undefined ? 0 : this.#clock.nowMs() - this.#sinceMs
  }

  look(): void {
    this.#probe.look()
    if (!this.#probe.isAway) this.#sinceMs = undefined
    else this.#sinceMs ??= this.#clock.nowMs()
  }
}
