/**
 * Which units the last deltas changed. What a unit is now stands elsewhere, and a change says what it is, not by how
 * much it changed: so one delta from any position still in the ring is made of the units named since.
 */
export class DeltaRing {
  readonly #unitsMax: number
  readonly #deltas: { readonly prev: number; readonly seq: number; readonly units: readonly number[] }[] = []
  #units = 0

  /** @param unitsMax how many unit numbers are kept; older deltas are let go of */
  constructor(unitsMax: number) {
    this.#unitsMax = unitsMax
  }

  push(delta: { readonly prev: number; readonly seq: number; readonly units: readonly number[] }): void {
    this.#deltas.push(delta)
    this.#units += delta.units.length
    while (this.#units > this.#unitsMax) this.#units -= this.#deltas.shift()?.units.length ?? 0
  }

  /** The units that changed after a position; undefined when it lies too far back, or was never reached. */
  unitsSince(seq: number): number[] | undefined {
    const [oldest] = this.#deltas
    const newest = this.#deltas.at(-1)
    if (oldest === undefined || newest === undefined || seq < oldest.prev || seq > newest.seq)
      return undefined
    return [...new Set(this.#deltas.filter((delta) => delta.seq > seq).flatMap(({ units }) => units))]
  }

  clear(): void {
    this.#deltas.length = 0
    this.#units = 0
  }
}
