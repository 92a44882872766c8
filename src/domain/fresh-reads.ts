import type { RowChanges, Subject } from '../db/row-changes.ts'
import { RecentMap } from './sales/recent-map.ts'

interface Kept<V> {
  readonly value: V
  /** Of the subject, from before it was read. */
  readonly generation: number
  readonly weight: number
}

/**
 * What was read of rows and is the same for everybody, for as long as none of these rows has changed: however many ask,
 * it is read once. Nothing that depends on who asks, or on the time, may come in here. What fails is not kept.
 */
export class FreshReads<V> {
  readonly #changes: RowChanges
  readonly #subject: Subject
  readonly #weigh: (value: V) => number
  readonly #kept: RecentMap<Kept<V>>
  readonly #reading = new Map<string, { readonly generation: number; readonly value: Promise<V> }>()

  /** @param options `weightMax` and `weigh` in bytes; the names are weighed too */
  constructor(options: {
    changes: RowChanges
    subject: Subject
    weightMax: number
    weigh: (value: V) => number
  }) {
    this.#changes = options.changes
    this.#subject = options.subject
    this.#weigh = options.weigh
    this.#kept = new RecentMap({ weightMax: options.weightMax, weigh: ({ weight }) => weight })
  }

  get size(): number {
    return this.#kept.size
  }

  /** @param read rejects with whatever `get` is to reject with */
  get(name: string, read: () => Promise<V>): V | Promise<V> {
    const generations = this.#changes.generations()
    if (!(generations instanceof Promise)) return this.#at(generations[this.#subject], name, read)
    return generations.then((known) => this.#at(known[this.#subject], name, read))
  }

  #at(generation: number, name: string, read: () => Promise<V>): V | Promise<V> {
    const known = this.#kept.get(name)
    if (known?.generation === generation) return known.value
    const reading = this.#reading.get(name)
    // One that was begun before the last change may miss it.
    return reading?.generation === generation ? reading.value : this.#read(generation, name, read)
  }

  #read(generation: number, name: string, read: () => Promise<V>): Promise<V> {
    const isNewest = (): boolean => this.#reading.get(name) === reading
    const value: Promise<V> = read()
      .then((value) => {
        const weight = this.#weigh(value) + 2 * name.length + bytesBeside
        if (isNewest()) this.#kept.set(name, { value, generation, weight })
        return value
      })
      .finally(() => {
        if (isNewest()) this.#reading.delete(name)
      })
    const reading = { generation, value }
    this.#reading.set(name, reading)
    return value
  }
}

/** What the maps take for themselves, and a tag. */
const bytesBeside = 400
