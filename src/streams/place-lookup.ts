import type { DrawEntering } from '../domain/queue/draw-entering.ts'
import type { QueuePlace } from '../domain/queue/queue-place.ts'
import type { QueueStore, Standing } from '../domain/queue/queue-store.ts'
import type { Sale } from '../domain/sales/sale.ts'

/**
 * Where accounts stand, all in one call; and in a lottery that is not drawn yet who of those without a place has
 * entered.
 */
export async function lookUp(
  { queue, entering }: { queue: Pick<QueueStore, 'standing'>; entering: Pick<DrawEntering, 'of'> },
  sale: Sale,
  accountIds: readonly string[],
): Promise<{ standing: Standing; places: readonly QueuePlace[] }> {
  const standing = await queue.standing(sale.id, accountIds)
  const isToBeDrawn = sale.queue.mode === 'lottery' && standing.status === 'scheduled'
  if (!isToBeDrawn) return { standing, places: standing.places }
  const entries = await entering.of(
    sale.id,
    accountIds.filter((_, index) => standing.places[index]?.state === 'absent'),
  )
  const places = standing.places.map((place, index): QueuePlace => {
    const entryId = entries.get(accountIds[index] ?? '')
    return place.state !== 'absent' || entryId === undefined ? place : { state: 'entered', entryId }
  })
  return { standing, places }
}
