import type { OrderMessage } from '../domain/orders/order-messages.ts'

/** How a buyer's visit ended, as the buyer sees it. */
export type Outcome =
  | 'bought'
  | 'sold-out'
  | 'left'
  | 'gave-up'
  | 'abandoned'
  | 'unsure'
  | 'too-late'
  | 'closed'
  | 'out-of-time'
  | 'failed'

/** One thing that a buyer did or was told. Times are of the crowd's clock unless they are named otherwise. */
export type JournalFact =
  | { readonly type: 'join-sent' }
  | { readonly type: 'joined'; readonly sequence: number; readonly tookMs: number }
  /** The live connection tells events from here on. */
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected' }
  /** Written at the end of a visit without an admission: when the server last said that the account waits. */
  | { readonly type: 'seen-waiting'; readonly lastAtMs: number }
  /** The server says that the account has no place. */
  | { readonly type: 'absent' }
  /** Times of the server. */
  | {
      readonly type: 'admitted'
      readonly sequence: number
      readonly admittedAtMs: number
      readonly expiresAtMs: number
    }
  | { readonly type: 'soldout' }
  /** The server says that the admission is over. */
  | { readonly type: 'ended' }
  | { readonly type: 'held'; readonly units: readonly string[]; readonly tookMs: number }
  | { readonly type: 'hold-refused'; readonly code: string }
  /** A request that makes an order of so many places is on its way; whether it arrives is not known. */
  | { readonly type: 'order-sent'; readonly places: number }
  | { readonly type: 'order-said'; readonly order: string; readonly status: OrderMessage['status'] }
  | {
      readonly type: 'order-decided'
      readonly places: number
      readonly isBooked: boolean
      readonly tookMs: number
    }
  | { readonly type: 'ticket'; readonly order: string; readonly booking: string; readonly isRight: boolean }
  /** Said in the room of the store; `say-sent` without it: whether it arrived is not known. */
  | { readonly type: 'say-sent'; readonly text: string }
  | { readonly type: 'said'; readonly text: string; readonly seq: number; readonly tookMs: number }
  | { readonly type: 'leave-sent' }
  | { readonly type: 'failed'; readonly call: string; readonly why: string }
  | { readonly type: 'done'; readonly outcome: Outcome }

export type JournalEntry = JournalFact & {
  readonly atMs: number
  readonly sale: string
  /** The id of the account. */
  readonly buyer: string
}

/** Everything that was seen from outside, in the order in which it was seen. */
export class Journal {
  readonly #entries: JournalEntry[] = []
  readonly #nowMs: () => number
  readonly #onEntry: (entry: JournalEntry) => void

  /** @param options.onEntry told of each entry as it is written */
  constructor(options: { nowMs: () => number; onEntry?: (entry: JournalEntry) => void }) {
    this.#nowMs = options.nowMs
    this.#onEntry = options.onEntry ?? (() => undefined)
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries
  }

  write(who: { readonly sale: string; readonly buyer: string }, fact: JournalFact): void {
    const entry: JournalEntry = { ...fact, ...who, atMs: this.#nowMs() }
    this.#entries.push(entry)
    this.#onEntry(entry)
  }
}
