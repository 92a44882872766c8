import { Batcher, type Fate } from '../../db/batcher.ts'

/** What one of a crowd asks of a sale. */
export interface SaleAsk<Ask> {
  readonly saleId: string
  readonly ask: Ask
}

/** One call of a script does nothing else meanwhile: so many asks keep Redis for about a millisecond. */
const atOnceMax = 32
/** Asks that may wait for Redis; one more is refused with `unavailable`. */
const waitingMax = 20_000
/** Calls of Redis under way. */
const underWayMax = 32

/**
 * Gathers what is asked of sales in the same moment, so that one call of Redis serves many. Each sale is served by itself,
 * in the order of asking: what the state of one sale refuses does not touch the others.
 * @param options.serve one call for asks of one sale; answers one fate an ask, in their order
 * @param options.atOnce asks of one call
 */
export function saleAsks<Ask, Result>(options: {
  readonly serve: (saleId: string, asks: readonly Ask[]) => Promise<readonly Fate<Result>[]>
  readonly atOnce?: number | undefined
}): Batcher<SaleAsk<Ask>, Result> {
  const { serve, atOnce: batchMax = atOnceMax } = options
  return new Batcher({
    run: (all) => inEachSale(all, serve),
    batchMax,
    queueMax: waitingMax,
    inFlightMax: underWayMax,
  })
}

/** What a reply is worth: its value, or the error that reading it throws. */
export function fateOf<Result>(read: () => Result): Fate<Result> {
  try {
    return { ok: true, value: read() }
  } catch (error) {
    return { ok: false, error }
  }
}

async function inEachSale<Ask, Result>(
  all: readonly SaleAsk<Ask>[],
  serve: (saleId: string, asks: readonly Ask[]) => Promise<readonly Fate<Result>[]>,
): Promise<Fate<Result>[]> {
  const sales = new Map<string, { asks: Ask[]; indexes: number[] }>()
  for (const [index, { saleId, ask }] of all.entries()) {
    const own = sales.get(saleId) ?? { asks: [], indexes: [] }
    own.asks.push(ask)
    own.indexes.push(index)
    sales.set(saleId, own)
  }
  const fates: Fate<Result>[] = []
  await Promise.all(
    Array.from(sales, async ([saleId, { asks, indexes }]) => {
      const served = await serve(saleId, asks).catch((error: unknown) =>
        asks.map((): Fate<Result> => ({ ok: false, error })),
      )
      for (const [at, index] of indexes.entries())
        fates[index] = served[at] ?? { ok: false, error: new Error('Redis answered fewer than it was asked') }
    }),
  )
  return fates
}
