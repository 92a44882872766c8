import { setMaxListeners } from 'node:events'
import type { Clock } from '../../clock.ts'
import { isPostgresAway } from '../../db/postgres.ts'
import { Problem } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { OrderMessage } from './order-messages.ts'
import type { SavingNotes } from './saving-notes.ts'

export interface OrderSavingOptions {
  readonly notes: Pick<SavingNotes, 'keep' | 'drop'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** An order that was said to be in progress came to nothing. */
  readonly onAbandoned: (order: UnsavedOrder) => void
}

/** An order of which nothing is written yet. */
export type UnsavedOrder = Pick<OrderMessage, 'id' | 'sale'> & { readonly accountId: string }

export interface SavedOrder {
  readonly order: OrderMessage
  /** False when it was there before. */
  readonly created: boolean
}

/** What an order needs is kept for it. */
interface Kept {
  /** Milliseconds since the epoch. */
  readonly untilMs: number
  readonly total: OrderMessage['total']
}

/** To be told by the first try that got so far; from then on it is tried again. */
export type OnKept = (kept: Kept) => void

/** What is known of an order that is being saved. */
interface Told {
  readonly order: UnsavedOrder
  kept?: Kept
  /** Somebody was told that it is in progress, and waits for the outcome. */
  isTold: boolean
}

type Saving = Told & { readonly done: Promise<SavedOrder> }

/** So long a caller waits before it is told that the order is in progress. */
const patienceMs = 2000
/** And so much longer at the most. */
const patienceStepMs = 100
/** Pauses between two tries: twice as long each time, and each caller's own, so that not all come back at once. */
const pause = { firstMs: 100, mostMs: 3000 } as const
/** Orders in progress; one more gets a single try. */
const savingMax = 20_000

/**
 * Saves an order however long PostgreSQL is away, slow or refuses, within the life of its hold. Whoever waits too long is
 * told that it is in progress. Each try is of the same order, so that it is written once.
 */
export class OrderSaving {
  readonly #options: OrderSavingOptions
  readonly #savings = new Map<string, Saving>()
  readonly #stopped = new AbortController()
  /** Of those who wait, or have waited a moment ago; all wait as long, so the first ends first. */
  readonly #patience: { readonly endsAtMs: number; readonly end: () => void }[] = []

  constructor(options: OrderSavingOptions) {
    this.#options = options
    setMaxListeners(0, this.#stopped.signal)
  }

  /** Orders of which somebody was told that they are in progress. */
  get inProgress(): number {
    return [...this.#savings.values()].filter(({ isTold }) => isTold).length
  }

  /** What is in progress is left to whoever asks again, or to the sweep of forsaken holds. */
  stop(): void {
    this.#stopped.abort()
  }

  /**
   * @param attempt one try; once it has said until when the order's places are kept, it is repeated where it fails
   * @returns the order, or with the status `saving` where that takes long
   */
  async save(order: UnsavedOrder, attempt: (onKept: OnKept) => Promise<SavedOrder>): Promise<SavedOrder> {
    const key = `${order.id} ${order.accountId}`
    const before = this.#savings.get(key)
    const saving = before ?? this.#begin(key, order, attempt)
    const soon = await this.#within(saving.done)
    // What is not kept cannot be promised.
    if (soon !== undefined || saving.kept === undefined) {
      const outcome = soon ?? (await saving.done)
      return before === undefined ? outcome : { ...outcome, created: false }
    }
    saving.isTold = true
    const inProgress = this.#messageOf(order, saving.kept, 'saving')
    await this.#options.notes.keep(order.accountId, inProgress)
    return { order: inProgress, created: false }
  }

  /** What comes within the time that callers wait, else undefined. One timer for all: nearly every order is in time. */
  #within(done: Promise<SavedOrder>): Promise<SavedOrder | undefined> {
    return new Promise((resolve, reject) => {
      done.then(resolve, reject)
      const endsAtMs = this.#options.clock.nowMs() + patienceMs
      if (this.#patience.push({ endsAtMs, end: () => resolve(undefined) }) === 1) void this.#loosePatience()
    })
  }

  async #loosePatience(): Promise<void> {
    const { clock } = this.#options
    for (let inMs = patienceMs; this.#patience.length > 0; inMs = patienceStepMs) {
      await clock.wait(inMs, this.#stopped.signal)
      // Then nothing is tried any more, and each hears what became of the last try.
      if (this.#stopped.signal.aborted) return
      const nowMs = clock.nowMs()
      const stillIn = this.#patience.findIndex(({ endsAtMs }) => endsAtMs > nowMs)
      const over = this.#patience.splice(0, stillIn < 0 ? this.#patience.length : stillIn)
      for (const { end } of over) end()
    }
  }

  #begin(key: string, order: UnsavedOrder, attempt: (onKept: OnKept) => Promise<SavedOrder>): Saving {
    const told: Told = { order, isTold: false }
    const done = this.#tryAgain(told, attempt).finally(() => this.#savings.delete(key))
    const saving = Object.assign(told, { done })
    this.#savings.set(key, saving)
    done.then(
      () => saving.isTold && void this.#options.notes.drop(order.id),
      (error: unknown) => saving.isTold && this.#giveUp(saving, error),
    )
    return saving
  }

  async #tryAgain(saving: Told, attempt: (onKept: OnKept) => Promise<SavedOrder>): Promise<SavedOrder> {
    const { clock, random } = this.#options
    const onKept: OnKept = (kept) => {
      saving.kept ??= kept
    }
    for (let tries = 1; ; tries++) {
      try {
        return await attempt(onKept)
      } catch (error) {
        const longestMs = Math.min(pause.mostMs, pause.firstMs * 2 ** (tries - 1))
        const pauseMs = longestMs * (0.5 + random() / 2)
        const isOver = saving.kept === undefined || clock.nowMs() + pauseMs > saving.kept.untilMs
        const isFull = this.#savings.size > savingMax
        if (isOver || isFull || this.#stopped.signal.aborted || !mayPass(error)) throw error
        await clock.wait(pauseMs, this.#stopped.signal)
      }
    }
  }

  /** Where it may still be written, nothing is said: the sweep of forsaken holds finds out. */
  #giveUp({ order, kept }: Told, error: unknown): void {
    const { notes, log, onAbandoned } = this.#options
    log.warn({ err: error, order: order.id }, 'an order could not be saved while its hold lasted')
    if (mayPass(error) || kept === undefined) return
    const abandoned = this.#messageOf(order, kept, 'abandoned')
    void notes.keep(order.accountId, abandoned).then(() => onAbandoned(order))
  }

  #messageOf({ id, sale }: UnsavedOrder, { total }: Kept, status: 'saving' | 'abandoned'): OrderMessage {
    const now = new Date(this.#options.clock.nowMs()).toISOString()
    const endedAt = status === 'abandoned' ? now : null
    return { id, sale, status, total, refund: 'none', payBy: null, createdAt: now, endedAt, bookings: [] }
  }
}

/** Whether the same try may succeed later. */
function mayPass(error: unknown): boolean {
  return isPostgresAway(error) || (error instanceof Problem && error.definition.retryable)
}
