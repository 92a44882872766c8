/**
 * A map of bounded weight that lets go of what was not asked for the longest. An entry heavier than all that is allowed is
 * kept alone.
 */
export class RecentMap<V> {
  readonly #entries = new Map<string, V>()
  readonly #weightMax: number
  readonly #weigh: (value: V) => number
  readonly #onDrop: (value: V) => void
  #weight = 0
  #youngest: string | undefined

  /** `onDrop` is told of each value that is let go of, replaced or deleted. */
  constructor(options: { weightMax: number; weigh: (value: V) => number; onDrop?: (value: V) => void }) {
    this.#weightMax = options.weightMax
    this.#weigh = options.weigh
    this.#onDrop = options.onDrop ?? (() => {})
  }

  get size(): number {
    return this.#entries.size
  }

  entries(): IterableIterator<[string, V]> {
    return this.#entries.entries()
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined || key === this.#youngest) return value
    // A Map remembers the order of insertion: put in anew, it is the youngest.
    this.#entries.delete(key)
    this.#entries.set(key, value)
    this.#youngest = key
    return value
  }

  set(key: string, value: V): void {
    this.delete(key)
    this.#entries.set(key, value)
    this.#youngest = key
    this.#weight += this.#weigh(value)
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#weightMax || this.#entries.size === 1) return
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const value = this.#entries.get(key)
    if (value === undefined) return
    this.#entries.delete(key)
    if (key === this.#youngest) this.#youngest = undefined
    this.#weight -= this.#weigh(value)
    this.#onDrop(value)
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.delete(key)
  }
}
