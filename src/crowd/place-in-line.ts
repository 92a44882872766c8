import { concat, defer, EMPTY, filter, Observable, takeUntil, type Subscription } from 'rxjs'
import { isCode } from '../client/api-error.ts'
import type { LineEvent, Transport } from '../client/waiting.ts'
import type { QueueJoined } from '../domain/queue/queue-messages.ts'
import type { BuyerParts } from './buyer.ts'
import type { Outcome } from './journal.ts'
import { sequenceOfPurchaseToken, sequenceOfTicket } from './token-reading.ts'

/** How waiting ends: it is one's turn, or one goes. */
export type Turn =
  | { readonly kind: 'admitted'; readonly purchaseToken: string }
  | { readonly kind: 'gone'; readonly outcome: Outcome }

interface Admitted {
  readonly purchaseToken: string
  readonly admittedAt: string
  readonly expiresAt: string
}

/** A buyer's place: waits for its turn, and keeps listening until closed. */
export class PlaceInLine {
  readonly #parts: BuyerParts
  readonly #over = new AbortController()
  #events: Subscription | undefined
  #isAdmitted = false
  #waitingAtMs: number | undefined
  #decide: (turn: Turn) => void = () => undefined
  #patience: AbortController | undefined

  constructor(parts: BuyerParts) {
    this.#parts = parts
  }

  async wait(joined: QueueJoined): Promise<Turn> {
    const { signal, plan } = this.#parts
    const turn = new Promise<Turn>((resolve, reject) => {
      this.#decide = resolve
      const onStop = (): void => this.#go('out-of-time')
      signal.addEventListener('abort', onStop, { signal: this.#over.signal })
      if (plan.leavesAfterMs !== undefined) this.#goAfter(plan.leavesAfterMs, 'left', this.#over.signal)
      if (joined.state === 'admitted') this.#heed({ type: 'admitted', data: joined })
      this.#events = this.#visits$(joined.ticket).subscribe({
        next: (event) => this.#heed(event),
        error: (error: unknown) => {
          if (isCode(error, 'sale_closed')) this.#go('closed')
          else reject(error as Error)
        },
        complete: () => this.#go('too-late'),
      })
      if (signal.aborted) onStop()
    })
    return await turn.finally(() => this.#noteWaiting())
  }

  close(): void {
    this.#over.abort()
    this.#patience?.abort()
    this.#events?.unsubscribe()
  }

  /** The line over one transport, or over one, then nothing, then the other. */
  #visits$(ticket: string): Observable<LineEvent> {
    const { plan } = this.#parts
    const first$ = this.#line$(plan.transport, ticket)
    const { away } = plan
    if (away === undefined) return first$
    const leaving$ = this.#after(away.afterMs).pipe(filter(() => !this.#isAdmitted))
    const other = plan.transport === 'ws' ? 'sse' : 'ws'
    const goAway$ = defer(() => {
      this.#parts.note({ type: 'disconnected' })
      return this.#after(away.forMs)
    }).pipe(filter(() => false))
    const comeBack$ = defer(() => (this.#isAdmitted ? EMPTY : this.#line$(other, ticket)))
    return concat(first$.pipe(takeUntil(leaving$)), goAway$, comeBack$) as Observable<LineEvent>
  }

  #line$(transport: Transport, ticket: string): Observable<LineEvent> {
    const { client, offer } = this.#parts
    return client.waitInLine({ sale: offer.sale.id, transport, ticket })
  }

  #heed(event: LineEvent): void {
    const { note } = this.#parts
    if (event.type === 'admitted') return this.#admit(event.data)
    if (event.type === 'connected' || event.type === 'disconnected') return note({ type: event.type })
    if (event.type === 'absent') return note({ type: 'absent' })
    if (event.type === 'rejoined') {
      const { ticket } = event.data
      return note({ type: 'joined', sequence: sequenceOfTicket(ticket), tookMs: 0 })
    }
    if (event.type === 'expired' || event.type === 'fulfilled') return note({ type: 'ended' })
    if (event.type === 'closed') return this.#go('closed')
    if (event.type === 'soldout') {
      note({ type: 'soldout' })
      return this.#go('sold-out')
    }
    if (event.type === 'position') {
      this.#waitingAtMs = this.#parts.time.nowMs()
      this.#watchStock(event.data.left)
    }
  }

  #admit({ purchaseToken, admittedAt, expiresAt }: Admitted): void {
    this.#isAdmitted = true
    this.#parts.note({
      type: 'admitted',
      sequence: sequenceOfPurchaseToken(purchaseToken),
      admittedAtMs: Date.parse(admittedAt),
      expiresAtMs: Date.parse(expiresAt),
    })
    this.#decide({ kind: 'admitted', purchaseToken })
  }

  #noteWaiting(): void {
    const lastAtMs = this.#waitingAtMs
    if (this.#isAdmitted || lastAtMs === undefined) return
    this.#parts.note({ type: 'seen-waiting', lastAtMs })
  }

  /** Nothing is left, though what others hold may come back: stays as long as the patience lasts. */
  #watchStock(left: number): void {
    if (left > 0) {
      this.#patience?.abort()
      this.#patience = undefined
    } else if (this.#patience === undefined) {
      this.#patience = new AbortController()
      this.#goAfter(this.#parts.plan.patienceMs, 'sold-out', this.#patience.signal)
    }
  }

  #goAfter(ms: number, outcome: Outcome, signal: AbortSignal): void {
    void this.#parts.time.wait(ms, signal).then(() => {
      if (!signal.aborted && !this.#over.signal.aborted) this.#go(outcome)
    })
  }

  #go(outcome: Outcome): void {
    if (!this.#isAdmitted) this.#decide({ kind: 'gone', outcome })
  }

  #after(ms: number): Observable<void> {
    return new Observable((listener) => {
      const left = new AbortController()
      void this.#parts.time.wait(ms, left.signal).then(() => {
        listener.next()
        listener.complete()
      })
      return () => left.abort()
    })
  }
}
