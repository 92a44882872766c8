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
    this.#units += sizeOf(delta)
    while (this.#units > this.#unitsMax) {
      const [oldest] = this.#deltas.splice(0, 1)
      this.#units -= oldest === undefined ? this.#units : sizeOf(oldest)
    }
  }

  /** The units that changed after a position; undefined when it lies too far back, or was never reached. */
  unitsSince(seq: number): number[] | undefined {
    const [oldest] = this.#deltas
    const newest = this.#deltas.at(-1)
    if (oldest === undefined || newest === undefined || seq < oldest.prev || seq > newest.seq)
      return undefined
    // Nearly always only the last few are asked for.
    const before = this.#deltas.findLastIndex((delta) => delta.seq <= seq)
    return [...new Set(this.#deltas.slice(before + 1).flatMap(({ units }) => units))]
  }

  clear(): void {
    this.#deltas.length = 0
    this.#units = 0
  }
}

/** One that names no unit takes room as well. */
function sizeOf({ units }: { readonly units: readonly number[] }): number {
  return units.length + 1
}
