/** How finely due times are told apart, in milliseconds. */
const slotMs = 250

/**
 * Who is to be told when. Asking for those who are due costs as much as there are, however many others wait; nobody
 * stands in it twice.
 */
export class TellingWheel<T> {
  readonly #slots = new Map<number, Set<T>>()
  readonly #slotOf = new Map<T, number>()
  #turned = -Infinity

  /** Sets the time at which one is due, in place of an earlier setting. What is due already comes with the next turn. */
  schedule(one: T, dueMs: number): void {
    this.remove(one)
    const slot = Math.max(Math.floor(dueMs / slotMs), this.#turned + 1)
    this.#slotOf.set(one, slot)
    const others = this.#slots.get(slot)
    if (others) others.add(one)
    else this.#slots.set(slot, new Set([one]))
  }

  /** The same, unless it is due earlier already. */
  hasten(one: T, dueMs: number): void {
    const slot = this.#slotOf.get(one)
    if (slot === undefined || slot > Math.floor(dueMs / slotMs)) this.schedule(one, dueMs)
  }

  remove(one: T): void {
    const slot = this.#slotOf.get(one)
    if (slot === undefined) return
    this.#slotOf.delete(one)
    const others = this.#slots.get(slot)
    others?.delete(one)
    if (others?.size === 0) this.#slots.delete(slot)
  }

  /** Takes out those who are due by now, or as many of them as are asked for: the others come with the next turn. */
  turn(nowMs: number, most = Infinity): T[] {
    const last = Math.floor(nowMs / slotMs)
    const due: T[] = []
    for (const [slot, all] of this.#slots) {
      if (slot > last) continue
      for (const one of all) {
        if (due.length >= most) break
        all.delete(one)
        this.#slotOf.delete(one)
        due.push(one)
      }
      if (all.size === 0) this.#slots.delete(slot)
    }
    this.#turned = Math.max(this.#turned, last)
    return due
  }

  clear(): void {
    this.#slots.clear()
    this.#slotOf.clear()
  }
}
