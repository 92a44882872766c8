import { epochOfSequence } from '../domain/queue/queue-place.ts'
import type { Waiter } from '../domain/queue/queue-store.ts'
import { RecentMap } from '../domain/sales/recent-map.ts'

/** Some 100 bytes each. */
const rememberedMax = 100_000

/** Places in one line that were given through this edge, kept beyond the connections, to be put back after a loss. */
export class RememberedPlaces {
  readonly #places = new RecentMap<number>({ weightMax: rememberedMax, weigh: () => 1 })
  #putBackIn = 0

  get size(): number {
    return this.#places.size
  }

  sequenceOf(accountId: string): number | undefined {
    return this.#places.get(accountId)
  }

  remember(waiter: Waiter): void {
    this.#places.set(waiter.accountId, waiter.sequence)
  }

  forget(accountId: string): void {
    this.#places.delete(accountId)
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
  }

  clear(): void {
    this.#places.clear()
  }
}
