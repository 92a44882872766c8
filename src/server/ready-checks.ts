import type { Clock } from '../clock.ts'

/** Something without which this process cannot do its work. */
export interface ReadyCheck {
  readonly name: string
  /** Rejects when it is not well. */
  check(): Promise<void>
}

export interface ReadyReport {
  readonly isReady: boolean
  /** `ok` or `failed` by name; the reasons are for the log. */
  readonly checks: Readonly<Record<string, 'ok' | 'failed'>>
}

/** Runs the checks side by side, each for a second at most; asks again a second after the last time. */
export class ReadyChecks {
  readonly #checks: readonly ReadyCheck[]
  readonly #clock: Clock
  readonly #onFailure: (name: string, error: unknown) => void
  #last: { readonly atMs: number; readonly report: Promise<ReadyReport> } | undefined

  constructor(
    checks: readonly ReadyCheck[],
    options: { readonly clock: Clock; readonly onFailure: (name: string, error: unknown) => void },
  ) {
    this.#checks = checks
    this.#clock = options.clock
    this.#onFailure = options.onFailure
  }

  report(): Promise<ReadyReport> {
    const nowMs = this.#clock.nowMs()
    if (!this.#last || nowMs - this.#last.atMs >= keptForMs)
      this.#last = { atMs: nowMs, report: this.#runAll() }
    return this.#last.report
  }

  async #runAll(): Promise<ReadyReport> {
    const results = await Promise.all(this.#checks.map((check) => this.#run(check)))
    return { isReady: results.every(([, state]) => state === 'ok'), checks: Object.fromEntries(results) }
  }

  async #run(check: ReadyCheck): Promise<readonly [string, 'ok' | 'failed']> {
    const done = new AbortController()
    const isLate = this.#clock.wait(withinMs, done.signal).then(() => {
      if (!done.signal.aborted) throw new Error(`no answer within ${withinMs} ms`)
    })
    try {
      await Promise.race([check.check(), isLate])
      return [check.name, 'ok']
    } catch (error) {
      this.#onFailure(check.name, error)
      return [check.name, 'failed']
    } finally {
      done.abort()
    }
  }
}

const keptForMs = 1_000
const withinMs = 1_000
