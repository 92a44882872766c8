import { LineOrder } from '../../src/domain/queue/line-order.ts'
import type { HeadUpdate } from '../../src/domain/queue/queue-messages.ts'
import type { LineReading } from '../../src/domain/queue/queue-store.ts'

const epochSize = 2 ** 32

/** A line as its writer has it, with the head updates it would publish. */
export class TrueLine {
  epoch = 1
  #n = 0
  #seq = 0
  #moves: string[] = []
  readonly members = new Set<number>()

  join(): void {
    this.members.add(this.epoch * epochSize + ++this.#n)
  }

  leave(index: number): void {
    const sequence = [...this.members][index % Math.max(1, this.members.size)]
    if (sequence === undefined) return
    this.members.delete(sequence)
    this.#moves.push(`-${sequence}`)
  }

  pop(): void {
    const first = Math.min(...this.members)
    if (!this.members.delete(first)) return
    this.#moves.push(`<${first}`)
  }

  comeBack(): void {
    const sequence = this.epoch * epochSize + 1
    if (this.#n === 0 || this.members.has(sequence)) return
    this.members.add(sequence)
    this.#moves.push(`+${sequence}`)
  }

  newEpoch(): void {
    this.epoch++
    this.#n = 0
    this.#seq = 0
    this.#moves = []
  }

  tell(overflowed: boolean): HeadUpdate {
    const moves = overflowed ? [] : this.#moves
    this.#moves = []
    const prev = overflowed ? -1 : this.#seq
    const figures = {
      aside: 0,
      arrivals: 0,
      active: 0,
      holds: 0,
      free: 0,
      sold: 0,
      total: 0,
      pace: 0,
      rate: 60,
    }
    const rest = {
      is_full: false,
      max_active: 1,
      status: 'open',
      version: 1,
      rev: 0,
      at: 0,
      waiting: this.members.size,
    }
    return { epoch: this.epoch, prev, seq: ++this.#seq, tail: this.#n, moves, ...figures, ...rest }
  }

  reading(): LineReading {
    return this.membersOf(this.place())
  }

  /** Where it stands. */
  place(): Omit<LineReading, 'order'> {
    return { epoch: this.epoch, seq: this.#seq, tail: this.#n }
  }

  /** Who is in it now, of those who were given a number by then. */
  membersOf(place: Omit<LineReading, 'order'>): LineReading {
    const order = new LineOrder()
    const last = place.epoch * epochSize + place.tail
    for (const sequence of this.members) if (sequence <= last) order.enter(sequence)
    return { ...place, order }
  }
}
