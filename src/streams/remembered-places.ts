import { epochOfSequence } from '../domain/queue/queue-place.ts'
import type { Waiter } from '../domain/queue/queue-store.ts'
import { RecentMap } from '../domain/sales/recent-map.ts'

/** Some 100 bytes each. */
const rememberedMax = 100_000

/** Places in one line that were given through this edge, kept beyond the connections, to be put back after a loss. */
export class RememberedPlaces {
  readonly #places = newPlaces()
  /** Given behind a loss to people whose places before it were not put back yet. */
  readonly #anew = newPlaces()
  #putBackIn = 0

  get size(): number {
    return this.#places.size
  }

  sequenceOf(accountId: string): number | undefined {
    return this.#places.get(accountId)
  }

  /** A place that Redis has lost, and is still to be given back, counts for more than one that was given behind the loss. */
  remember({ accountId, sequence }: Waiter): void {
    const known = this.#places.get(accountId) ?? sequence
    const epoch = epochOfSequence(sequence)
    const isLost = epochOfSequence(known) < epoch && this.#putBackIn < epoch
    const places = isLost ? this.#anew : this.#places
    places.set(accountId, sequence)
  }

  forget(accountId: string): void {
    this.#places.delete(accountId)
    this.#anew.delete(accountId)
  }

  /** A place has led to an admission, or was given up: there is nothing to be given back, but perhaps a later place. */
  noteUsed({ accountId, sequence }: Waiter): void {
    if (this.#places.get(accountId) !== sequence) return
    const anew = this.#anew.get(accountId)
    this.forget(accountId)
    if (anew !== undefined) this.#places.set(accountId, anew)
  }

  /** Who waited here with a place given before `epoch`; nobody once they were put back in it. */
  waitersBefore(epoch: number): Waiter[] {
    if (this.#putBackIn >= epoch) return []
    return [...this.#places.entries()]
      .filter(([, sequence]) => epochOfSequence(sequence) < epoch)
      .map(([accountId, sequence]) => ({ accountId, sequence }))
  }

  /** Everybody of `waitersBefore(epoch)` stands in line again. */
  notePutBack(epoch: number): void {
    this.#putBackIn = Math.max(this.#putBackIn, epoch)
    this.#anew.clear()
  }

  clear(): void {
    this.#places.clear()
    this.#anew.clear()
  }
}

function newPlaces(): RecentMap<number> {
  return new RecentMap<number>({ weightMax: rememberedMax, weigh: () => 1 })
}
