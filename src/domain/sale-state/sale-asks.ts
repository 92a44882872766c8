import { Batcher, type Fate } from '../../db/batcher.ts'
import { generalErrors, Problem } from '../../errors.ts'

/** One call of a script does nothing else meanwhile: so many asks keep Redis for about a millisecond. */
const atOnceMax = 32
/** Asks that are open, of all sales; one more is refused with `unavailable`. */
const openMax = 20_000
/** Calls of Redis under way, for each sale. */
const underWayMax = 32

export interface SaleAsksOptions<Ask, Result> {
  /** One call for asks of one sale; answers one fate an ask, in their order. */
  readonly serve: (saleId: string, asks: readonly Ask[]) => Promise<readonly Fate<Result>[]>
  /** Asks of one call. */
  readonly atOnce?: number | undefined
}

/**
 * Gathers what is asked of a sale in the same moment, so that one call of Redis serves many, in the order of asking. Each
 * sale is served by itself: what the state of one sale refuses, or the server that has it does not answer, is nothing to
 * the others.
 */
export class SaleAsks<Ask, Result> {
  readonly #options: SaleAsksOptions<Ask, Result>
  readonly #bySale = new Map<string, Batcher<Ask, Result>>()
  #open = 0

  constructor(options: SaleAsksOptions<Ask, Result>) {
    this.#options = options
  }

  /** Rejects with what became of this ask, or with `unavailable` when too many are open. */
  async add(saleId: string, ask: Ask): Promise<Result> {
    if (this.#open >= openMax) throw new Problem(generalErrors.unavailable, { retryAfterSeconds: 1 })
    this.#open++
    try {
      return await this.#batcherOf(saleId).add(ask)
    } finally {
      this.#open--
    }
  }

  #batcherOf(saleId: string): Batcher<Ask, Result> {
    const known = this.#bySale.get(saleId)
    if (known !== undefined) return known
    const { serve, atOnce: batchMax = atOnceMax } = this.#options
    const batcher = new Batcher<Ask, Result>({
      run: (asks) => serve(saleId, asks),
      batchMax,
      queueMax: openMax,
      inFlightMax: underWayMax,
      onIdle: () => this.#bySale.delete(saleId),
    })
    this.#bySale.set(saleId, batcher)
    return batcher
  }
}

/** What a reply is worth: its value, or the error that reading it throws. */
export function fateOf<Result>(read: () => Result): Fate<Result> {
  try {
    return { ok: true, value: read() }
  } catch (error) {
    return { ok: false, error }
  }
}
