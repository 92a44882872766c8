/**
 * A hold: places of units kept for one account for some minutes.
 *
 * held → extended (once) → released (given back, or its time ended) | pinned (an order was made of it in time; it ends with the order).
 */
export interface Hold {
  readonly id: string
  readonly accountId: string
  readonly places: readonly Place[]
  readonly expiresAtMs: number
  readonly isExtended: boolean
  /** The order that pinned it. */
  readonly orderId?: string
}

/** One place of a unit, and which of its account's places it is. */
export interface Place {
  readonly unitNo: number
  readonly ordinal: number
  /** 1 … maxPerAccount. */
  readonly nth: number
}

/** So many places of a unit. */
export interface Want {
  readonly unitNo: number
  readonly quantity: number
}

/** How places are written in scripts, hold records and outbox entries. */
export type PlaceTuple = readonly [unitNo: number, ordinal: number, nth: number]

export function placeTuple(place: Place): PlaceTuple {
  return [place.unitNo, place.ordinal, place.nth]
}

export function placeFromTuple([unitNo, ordinal, nth]: PlaceTuple): Place {
  return { unitNo, ordinal, nth }
}

/** How many places of each unit. */
export function quantities(places: readonly Place[]): Want[] {
  const counts = new Map<number, number>()
  for (const { unitNo } of places) counts.set(unitNo, (counts.get(unitNo) ?? 0) + 1)
  return [...counts].map(([unitNo, quantity]) => ({ unitNo, quantity }))
}
