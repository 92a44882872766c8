import type { Clock } from '../clock.ts'
import { callerId, type Caller } from './caller.ts'

/** Why the server ends a live connection. */
export type Farewell = 'draining' | 'logged-out'

/** A connection that stays: an event stream or a WebSocket. */
export interface LiveConnection {
  readonly caller: Caller | undefined
  /** Called every so often, to keep the connection up and to find out whether it still is. */
  beat(): void
  bid(farewell: Farewell): void
}

/**
 * All live connections of one sort. One timer serves them all: they stand in as many slots as a beat has seconds,
 * and each second one slot has its turn, so that a crowd that came in one second does not beat in one.
 */
export class LiveConnections {
  readonly #slots: readonly Set<LiveConnection>[]
  readonly #places = new Map<LiveConnection, Set<LiveConnection>>()
  readonly #byCaller = new Map<string, Set<LiveConnection>>()
  readonly #onTooSlow: () => void
  #nextSlot = 0
  #second = 0

  /** @param onTooSlow called for each that is closed because it does not read */
  constructor(beatSeconds: number, onTooSlow: () => void = () => undefined) {
    this.#onTooSlow = onTooSlow
    this.#slots = Array.from({ length: beatSeconds }, () => new Set<LiveConnection>())
  }

  get size(): number {
    return this.#places.size
  }

  add(connection: LiveConnection): void {
    const slot = this.#slot(this.#nextSlot++)
    slot.add(connection)
    this.#places.set(connection, slot)
    if (!connection.caller) return
    const id = callerId(connection.caller)
    const others = this.#byCaller.get(id)
    if (others) others.add(connection)
    else this.#byCaller.set(id, new Set([connection]))
  }

  delete(connection: LiveConnection): void {
    this.#places.get(connection)?.delete(connection)
    this.#places.delete(connection)
    if (!connection.caller) return
    const id = callerId(connection.caller)
    const others = this.#byCaller.get(id)
    others?.delete(connection)
    if (others?.size === 0) this.#byCaller.delete(id)
  }

  noteTooSlow(): void {
    this.#onTooSlow()
  }

  /** To be called once a second. */
  tick(): void {
    for (const connection of this.#slot(this.#second++)) connection.beat()
  }

  /** Ends the live connections of an account or organiser. Returns how many there were. */
  closeOf(id: string): number {
    const connections = [...(this.#byCaller.get(id) ?? [])]
    for (const connection of connections) connection.bid('logged-out')
    return connections.length
  }

  /** Ends all of them, spread over the time given: they come back, and not all at once. */
  async drain(clock: Clock, withinMs: number): Promise<void> {
    const all = [...this.#places.keys()]
    const steps = Math.min(20, all.length)
    for (let step = 0; step < steps; step++) {
      if (step > 0) await clock.wait(withinMs / steps)
      const from = Math.floor((all.length * step) / steps)
      const to = Math.floor((all.length * (step + 1)) / steps)
      for (const connection of all.slice(from, to)) connection.bid('draining')
    }
  }

  #slot(number: number): Set<LiveConnection> {
    const slot = this.#slots[number % this.#slots.length]
    if (!slot) throw new RangeError('A beat lasts one second at least')
    return slot
  }
}
