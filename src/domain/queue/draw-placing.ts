import type { Sql } from '../../db/postgres.ts'
import type { SaleState } from '../sale-state/sale-state.ts'
import { drawnOrder } from './draw.ts'
import { allEntries, findDraw, holdDraw, usedRanks } from './draw-store.ts'
import { drawPlace } from './queue-scripts.ts'

/** Places written in one call. */
const portion = 2000

/**
 * Holds the draw of a sale, or takes it up where somebody else left it, and puts everybody who is still waiting in line
 * in the drawn order. Also after a loss of Redis: the order follows from seed and entries.
 * @returns how many were placed
 * @throws FencedError another process has become the writer
 */
export async function placeDrawn(
  { sql, state }: { readonly sql: Sql; readonly state: SaleState },
  { saleId, fence }: { readonly saleId: string; readonly fence: number },
): Promise<number> {
  await holdDraw(sql, { saleId, fence, epoch: state.epoch(saleId) })
  const draw = await findDraw(sql, saleId)
  if (draw?.drawn === undefined) throw new Error(`the draw of ${saleId} was not held`)
  const { epoch } = draw.drawn
  const order = await drawnOrder(draw.seed, await allEntries(sql, saleId))
  const used = await usedRanks(sql, saleId, epoch)
  const places = order
    .map(({ accountId }, index) => [accountId, index + 1] as const)
    .filter(([, rank]) => !used.has(rank))
  let placed = 0
  for (let at = 0; at === 0 || at < places.length; at += portion) {
    const some = places.slice(at, at + portion)
    const last = at + portion >= places.length ? 1 : 0
    const args = { fence, drawn_epoch: epoch, entrants: order.length, places: JSON.stringify(some), last }
    placed += (await state.run(drawPlace, saleId, args)) as number
  }
  return placed
}
