import { generalErrors, Problem } from '../errors.ts'

/** What became of one item of a batch. */
export type Fate<Result> =
  | { readonly ok: true; readonly value: Result }
  | { readonly ok: false; readonly error: unknown }

export interface BatcherOptions<Item, Result> {
  /** Does the work of a whole batch, usually in one statement. Answers one fate an item, in the items' order. */
  readonly run: (items: readonly Item[]) => Promise<readonly Fate<Result>[]>
  /** Items in one batch. */
  readonly batchMax: number
  /** Items that may wait; one more is refused with `unavailable`. */
  readonly queueMax: number
  /** Batches under way at the same time; 1 unless told. */
  readonly inFlightMax?: number
  /** Whether a failed batch is run again with each item alone, so that one bad item does not spoil its neighbours. */
  readonly aloneAfter?: (error: unknown) => boolean
  /** Told whenever nothing waits and nothing is under way any more. */
  readonly onIdle?: () => void
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (value: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers what a crowd asks for one by one into few large statements. While a batch is under way the next one fills,
 * so batches grow with the load and an item alone does not wait for company.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>
  readonly #inFlightMax: number
  readonly #waiting: Waiting<Item, Result>[] = []
  #inFlight = 0
  #beginning = false
  readonly #idle: (() => void)[] = []

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options
    this.#inFlightMax = options.inFlightMax ?? 1
  }

  /** Items that wait for a batch; those of a batch under way do not count. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Rejects with what became of this item, or with `unavailable` when the queue is full. */
  add(item: Item): Promise<Result> {
    if (this.#waiting.length >= this.#options.queueMax) {
      return Promise.reject(new Problem(generalErrors.unavailable, { retryAfterSeconds: 1 }))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#beginSoon()
    })
  }

  /** Resolves when nothing waits and nothing is under way. */
  whenIdle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #isIdle(): boolean {
    return this.#inFlight === 0 && this.#waiting.length === 0
  }

  /** Not at once: what arrives in the same turn of the event loop travels together. */
  #beginSoon(): void {
    if (this.#beginning || this.#inFlight >= this.#inFlightMax) return
    this.#beginning = true
    setImmediate(() => {
      this.#beginning = false
      this.#begin()
    })
  }

  #begin(): void {
    while (this.#waiting.length > 0 && this.#inFlight < this.#inFlightMax) {
      const batch = this.#waiting.splice(0, this.#options.batchMax)
      this.#inFlight++
      void this.#settle(batch).then(() => {
        this.#inFlight--
        if (this.#isIdle()) this.#tellIdle()
        else this.#beginSoon()
      })
    }
  }

  #tellIdle(): void {
    for (const tell of this.#idle.splice(0)) tell()
    this.#options.onIdle?.()
  }

  /** Never rejects: whatever happens is the fate of the items. */
  async #settle(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    const fates = await this.#fates(batch.map(({ item }) => item))
    for (const [index, { resolve, reject }] of batch.entries()) {
      const fate = fates[index] ?? { ok: false, error: new Error('The batch gave this item no fate') }
      if (fate.ok) resolve(fate.value)
      else reject(fate.error)
    }
  }

  async #fates(items: readonly Item[]): Promise<readonly Fate<Result>[]> {
    try {
      return await this.#options.run(items)
    } catch (error) {
      if (items.length === 1 || this.#options.aloneAfter?.(error) !== true) {
        return items.map(() => ({ ok: false, error }))
      }
    }
    const fates: Fate<Result>[] = []
    for (const item of items) fates.push(...(await this.#fates([item])).slice(0, 1))
    return fates
  }
}
