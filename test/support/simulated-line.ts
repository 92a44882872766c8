import { Subject } from 'rxjs'
import { LineOrder } from '../../src/domain/queue/line-order.ts'
import type { HeadUpdate } from '../../src/domain/queue/queue-messages.ts'
import type { QueuePlace } from '../../src/domain/queue/queue-place.ts'
import type { LineReading, QueueStore, Standing } from '../../src/domain/queue/queue-store.ts'

const epoch = 1

/**
 * A line of one epoch and its gate in memory, for tests of what edges do with them: `p0` came first. It counts what it
 * is asked, and publishes the head updates that the gate's script would.
 */
export class SimulatedLine {
  readonly heads = new Subject<HeadUpdate>()
  readonly asked: (readonly string[])[] = []
  readonly present: string[] = []
  readings = 0
  /** What the next updates say besides the line. */
  figures = { pace: 0, is_full: false, version: 1, status: 'open', free: 10 }
  #count: number
  #out = 0
  readonly #left = new Set<number>()
  #moves: string[] = []
  #seq = 0

  constructor(count: number) {
    this.#count = count
  }

  get waiting(): number {
    return this.#count - this.#out - this.#left.size
  }

  get people(): string[] {
    return Array.from({ length: this.#count }, (_, index) => `p${index}`)
  }

  /** Lets the first ones in. Returns who they are. */
  letIn(count: number): string[] {
    const taken: string[] = []
    while (taken.length < count && this.#out < this.#count) {
      if (!this.#left.delete(this.#out)) taken.push(`p${this.#out}`)
      this.#out++
    }
    if (this.#out > 0) this.#moves.push(`<${sequenceOf(this.#out - 1)}`)
    return taken
  }

  leave(person: string): void {
    this.#left.add(indexOf(person))
    this.#moves.push(`-${sequenceOf(indexOf(person))}`)
  }

  join(): string {
    return `p${this.#count++}`
  }

  /** Everybody who waits, in order, as the number in the name. */
  members(): number[] {
    const all: number[] = []
    for (let index = this.#out; index < this.#count; index++) if (!this.#left.has(index)) all.push(index)
    return all
  }

  /** Publishes the head as it stands, or lets its message be lost. */
  tell({ isLost = false } = {}): void {
    const rest = {
      aside: 0,
      arrivals: 0,
      active: 0,
      holds: 0,
      sold: 0,
      total: 0,
      rev: 0,
      rate: 60,
      max_active: 1,
    }
    const line = { epoch, prev: this.#seq, seq: ++this.#seq, tail: this.#count, moves: this.#moves }
    this.#moves = []
    if (!isLost) this.heads.next({ ...rest, ...this.figures, ...line, waiting: this.waiting, at: 0 })
  }

  readonly queue: Pick<QueueStore, 'readLine' | 'standing' | 'present'> = {
    readLine: async () => this.#reading(),
    standing: async (_saleId, accountIds) => this.#standing(accountIds),
    present: async (_saleId, accountIds) => {
      this.present.push(...accountIds)
      return 0
    },
  }

  #reading(): LineReading {
    this.readings++
    const order = new LineOrder()
    order.issue(epoch, this.#out + 1, this.#count)
    for (const index of this.#left) order.leave(sequenceOf(index))
    return { epoch, seq: this.#seq, tail: this.#count, order }
  }

  #standing(accountIds: readonly string[]): Standing {
    this.asked.push(accountIds)
    const { free, status } = this.figures
    const ranks = new Map(this.members().map((index, rank) => [`p${index}`, rank]))
    const places = accountIds.map((person): QueuePlace => {
      const ahead = ranks.get(person)
      if (ahead === undefined) return { state: 'absent' }
      const behind = this.waiting - ahead - 1
      return { state: 'waiting', sequence: sequenceOf(indexOf(person)), ahead, behind }
    })
    return { epoch, nowMs: 0, waiting: this.waiting, free, sold: 0, status, places }
  }
}

function indexOf(person: string): number {
  return Number(person.slice(1))
}

function sequenceOf(index: number): number {
  return epoch * 2 ** 32 + index + 1
}
