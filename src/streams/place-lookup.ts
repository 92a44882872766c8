import type { DrawEntering } from '../domain/queue/draw-entering.ts'
import type { QueuePlace } from '../domain/queue/queue-place.ts'
import type { QueueStore, Standing } from '../domain/queue/queue-store.ts'
import type { Sale } from '../domain/sales/sale.ts'

export interface Found {
  readonly standing: Standing
  /** One place for each account asked for, in the same order. */
  readonly places: readonly QueuePlace[]
  /** How many have entered the draw; 0 when none of these accounts has. */
  readonly entrants: number
}

/**
 * Where accounts stand, all in one call; and in a lottery that is not drawn yet who of those without a place has
 * entered.
 */
export async function lookUp(
  { queue, entering }: { queue: Pick<QueueStore, 'standing'>; entering: Pick<DrawEntering, 'of' | 'count'> },
  sale: Sale,
  accountIds: readonly string[],
): Promise<Found> {
  const standing = await queue.standing(sale.id, accountIds)
  const isToBeDrawn = sale.queue.mode === 'lottery' && standing.status === 'scheduled'
  if (!isToBeDrawn) return { standing, places: standing.places, entrants: 0 }
  const entries = await entering.of(
    sale.id,
    accountIds.filter((_, index) => standing.places[index]?.state === 'absent'),
  )
  const places = standing.places.map((place, index): QueuePlace => {
    const entryId = entries.get(accountIds[index] ?? '')
    return place.state !== 'absent' || entryId === undefined ? place : { state: 'entered', entryId }
  })
  return { standing, places, entrants: entries.size === 0 ? 0 : await entering.count(sale.id) }
}
