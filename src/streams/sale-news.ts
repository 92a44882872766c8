import type { QueueEvent } from '../domain/queue/queue-messages.ts'
import type { Sale } from '../domain/sales/sale.ts'
import type { Guest } from './guest.ts'
import { noticeEvent, statusEvent } from './line-events.ts'

/** What is to be told to all who wait: changes of the sale's state, and what its organiser says. */
export class SaleNews {
  #status = ''
  #noticeAtMs = 0

  get status(): string {
    return this.#status
  }

  /** The event for everybody, when the state is a new one that means something to them. */
  statusIs(status: string): QueueEvent | undefined {
    const before = this.#status
    this.#status = status
    return status === before ? undefined : statusEvent(status, before)
  }

  /** The event for everybody, when the organiser says something else than before. */
  noticeOf({ notice }: Sale, nowMs: number): QueueEvent | undefined {
    const atMs = notice?.atMs ?? 0
    if (atMs === this.#noticeAtMs) return undefined
    this.#noticeAtMs = atMs
    return noticeEvent(notice, nowMs)
  }

  /** Whoever comes while the sale is not simply open, or while the organiser has something to say, hears of it. */
  welcome(guest: Guest, sale: Sale | undefined): void {
    guest.isWelcomed = true
    const event = statusEvent(this.#status, '')
    if (event !== undefined) guest.tell(event)
    const notice = sale?.notice ?? null
    if (notice !== null) guest.tell(noticeEvent(notice, notice.atMs))
  }
}
