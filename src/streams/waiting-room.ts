import { interval, Observable, type Subscription } from 'rxjs'
import { Problem } from '../errors.ts'
import type { Sql } from '../db/postgres.ts'
import { placeName, usedSequences } from '../domain/queue/admission-store.ts'
import { queueNotice, type QueueEvent, type QueueNotice } from '../domain/queue/queue-messages.ts'
import { parseAdmission } from '../domain/queue/queue-place.ts'
import type { QueueStore, Waiter } from '../domain/queue/queue-store.ts'
import type { SaleCatalogue } from '../domain/sales/sale-catalogue.ts'
import { saleChannels } from '../domain/sale-state/sale-keys.ts'
import type { Log } from '../log.ts'
import type { Broker } from './broker.ts'
import { SaleRoom, type SignToken } from './sale-room.ts'
import { epochChannel, epochNotice } from './house-channels.ts'
import { runLatest } from './run-latest.ts'

export interface WaitingRoomOptions {
  readonly sql: Sql
  readonly queue: QueueStore
  readonly catalogue: Pick<SaleCatalogue, 'sale'>
  readonly broker: Broker
  /** Names this edge among those that put their waiters back. */
  readonly processId: string
  readonly signToken: SignToken
  readonly log: Log
}

/** How often waiters are told where they stand, and what a lost message left undone is repaired. */
const tellMs = 1000
/** Accounts asked for, or put back, in one call. */
const portion = 500

/** Everybody who waits at this edge, sale by sale: tells them where they stand, and puts them back after a loss. */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions
  readonly #rooms = new Map<string, { room: SaleRoom; notices: Subscription }>()
  readonly #work: Subscription

  constructor(options: WaitingRoomOptions) {
    this.#options = options
    this.#work = interval(tellMs)
      .pipe(runLatest(() => this.#tellAll()))
      .subscribe()
    this.#work.add(
      options.broker
        .messages(epochChannel, epochNotice)
        .subscribe(({ sale, epoch }) => void this.#answerEpoch(sale, epoch)),
    )
    this.#work.add(options.broker.lost$.subscribe(() => void this.#tellAll()))
  }

  /** What happens to an account in the line of a sale, beginning with where it stands. */
  watch(saleId: string, accountId: string): Observable<QueueEvent> {
    return new Observable((listener) => {
      const { room } = this.#roomOf(saleId)
      const leave = room.enter(accountId, (event) => listener.next(event))
      return () => {
        leave()
        this.#closeIfEmpty(saleId)
      }
    })
  }

  /** Keeps a place that was given through this edge, whether or not its account listens here. */
  remember(saleId: string, waiter: Waiter): void {
    this.#roomOf(saleId).room.remember(waiter)
  }

  forget(saleId: string, accountId: string): void {
    this.#rooms.get(saleId)?.room.forget(accountId)
  }

  /** How many accounts listen here. */
  get listening(): number {
    return [...this.#rooms.values()].reduce((sum, { room }) => sum + room.listening, 0)
  }

  stop(): void {
    this.#work.unsubscribe()
    for (const { room, notices } of this.#rooms.values()) {
      notices.unsubscribe()
      room.stop()
    }
    this.#rooms.clear()
  }

  #roomOf(saleId: string): { room: SaleRoom; notices: Subscription } {
    const known = this.#rooms.get(saleId)
    if (known !== undefined) return known
    const { queue, broker, catalogue, signToken, log } = this.#options
    const onForgotten = (waiters: readonly Waiter[]): void => {
      this.#putBack(saleId, waiters).catch((error: unknown) =>
        log.warn({ err: error, saleId }, 'waiters are put back later'),
      )
    }
    const room = new SaleRoom({ saleId, queue, catalogue, signToken, onForgotten })
    const notices = broker
      .messages(saleChannels.queue(saleId), queueNotice)
      .subscribe((notice) => this.#heed(room, notice))
    const open = { room, notices }
    this.#rooms.set(saleId, open)
    return open
  }

  #closeIfEmpty(saleId: string): void {
    const open = this.#rooms.get(saleId)
    if (open === undefined || !open.room.empty) return
    open.notices.unsubscribe()
    open.room.stop()
    this.#rooms.delete(saleId)
  }

  #heed(room: SaleRoom, notice: QueueNotice): void {
    if (notice.type === 'admitted') {
      for (const [accountId, record] of notice.list) room.admit(accountId, parseAdmission(record))
    } else if (notice.type === 'expired' || notice.type === 'fulfilled') {
      for (const accountId of notice.accounts) room.end(accountId, notice.type)
    } else if (notice.type === 'status') {
      room.tellStatus(notice.status)
    }
  }

  async #tellAll(): Promise<void> {
    for (const { room } of this.#rooms.values()) {
      const accounts = room.listeners()
      for (let at = 0; at < accounts.length; at += portion) {
        await room.tell(accounts.slice(at, at + portion)).catch((error: unknown) => {
          if (!(error instanceof Problem)) this.#options.log.warn({ err: error }, 'positions')
        })
      }
    }
  }

  /** Answers a new epoch: puts back who waited here, then says so. A repeated notice puts back nobody twice. */
  async #answerEpoch(saleId: string, epoch: number): Promise<void> {
    const { queue, processId, log } = this.#options
    const room = this.#rooms.get(saleId)?.room
    try {
      await this.#putBack(saleId, room?.waitersBefore(epoch) ?? [])
      room?.notePutBack(epoch)
      await queue.restore(saleId, [], { edge: processId, last: true })
    } catch (error) {
      // The writer repeats the notice until every edge has answered.
      log.warn({ err: error, saleId, epoch }, 'waiters could not be put back yet')
    }
  }

  /** Puts waiters back who were neither let in nor left meanwhile; the others have no place to remember. */
  async #putBack(saleId: string, waiters: readonly Waiter[]): Promise<void> {
    const { sql, queue } = this.#options
    for (let at = 0; at < waiters.length; at += portion) {
      const some = waiters.slice(at, at + portion)
      const used = await usedSequences(
        sql,
        some.map(({ sequence }) => ({ saleId, sequence })),
      )
      const isUsed = ({ sequence }: Waiter): boolean => used.has(placeName(saleId, sequence))
      for (const waiter of some.filter(isUsed)) this.forget(saleId, waiter.accountId)
      await queue.restore(
        saleId,
        some.filter((waiter) => !isUsed(waiter)),
      )
    }
  }
}
