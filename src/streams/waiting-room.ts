import { setImmediate as nextTurnOfLoop } from 'node:timers/promises'
import { filter, interval, Observable, type Subscription } from 'rxjs'
import type { Clock } from '../clock.ts'
import type { Sql } from '../db/postgres.ts'
import { levelOfFailure } from '../db/store-away.ts'
import type { DrawEntering } from '../domain/queue/draw-entering.ts'
import { placeName, usedSequences } from '../domain/queue/admission-store.ts'
import { queueNotice, type QueueEvent, type QueueNotice } from '../domain/queue/queue-messages.ts'
import { parseAdmission } from '../domain/queue/queue-place.ts'
import type { QueueStore, Waiter } from '../domain/queue/queue-store.ts'
import type { SaleCatalogue } from '../domain/sales/sale-catalogue.ts'
import { saleChannels } from '../domain/sale-state/sale-keys.ts'
import type { Log } from '../log.ts'
import type { Broker } from './broker.ts'
import { epochChannel, epochNotice } from './house-channels.ts'
import type { LineMetrics } from './line-metrics.ts'
import type { SignToken } from './line-events.ts'
import { SaleRoom } from './sale-room.ts'
import { runLatest } from './run-latest.ts'

export interface WaitingRoomOptions {
  readonly sql: Sql
  readonly queue: QueueStore
  readonly catalogue: Pick<SaleCatalogue, 'sale'>
  readonly broker: Broker
  /** Names this edge among those that put their waiters back. */
  readonly processId: string
  readonly entering: Pick<DrawEntering, 'of' | 'count'>
  readonly signToken: SignToken
  readonly clock: Clock
  readonly log: Log
  readonly metrics?: LineMetrics
}

/** How often it is looked who is to be told. */
const turnMs = 250
/** How often it is said who is there of those near the front; well within the shortest grace worth setting. */
const presenceMs = 5000
/** People told where they stand before anything else may have its turn: a millisecond’s worth. */
const toldAtOnce = 20
/** Accounts put back in one call. */
const portion = 500

/** Everybody who waits at this edge, sale by sale: tells them where they stand, and puts them back after a loss. */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions
  readonly #rooms = new Map<string, { room: SaleRoom; notices: Subscription }>()
  /** Sales whose waiters are being put back. */
  readonly #answering = new Set<string>()
  readonly #work: Subscription

  constructor(options: WaitingRoomOptions) {
    this.#options = options
    this.#work = interval(turnMs)
      .pipe(runLatest(() => this.#tellWhoIsDue()))
      .subscribe()
    this.#work.add(
      interval(presenceMs)
        .pipe(runLatest(() => this.#sayWhoIsThere()))
        .subscribe(),
    )
    this.#work.add(
      interval(presenceMs)
        .pipe(runLatest(() => this.#closeWhatIsOver()))
        .subscribe(),
    )
    this.#work.add(
      options.broker
        .messages(epochChannel, epochNotice)
        // The writer repeats it many times a second: what is being answered is not begun anew.
        .pipe(filter(({ sale }) => !this.#answering.has(sale)))
        .subscribe(({ sale, epoch }) => void this.#answerEpoch(sale, epoch)),
    )
    this.#work.add(
      options.broker.lost$.subscribe(() => {
        for (const { room } of this.#rooms.values()) room.askAll()
      }),
    )
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
    const { room } = this.#roomOf(saleId)
    room.places.remember(waiter)
    room.askFor(waiter.accountId)
  }

  forget(saleId: string, accountId: string): void {
    this.#rooms.get(saleId)?.room.places.forget(accountId)
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
    const { log, metrics } = this.#options
    const onForgotten = (waiters: readonly Waiter[]): void => {
      this.#putBack(saleId, waiters).catch((error: unknown) =>
        log[levelOfFailure(error)]({ err: error, saleId }, 'waiters are put back later'),
      )
    }
    const room = new SaleRoom({
      ...this.#options,
      saleId,
      onForgotten,
      onTold: (count) => metrics?.positionsTold(count),
      onRead: () => metrics?.lineRead(),
      onHeard: () => metrics?.updateHeard(),
    })
    const notices = this.#options.broker
      .messages(saleChannels.queue(saleId), queueNotice)
      .subscribe((notice) => {
        this.#heed(room, notice)
        this.#closeIfEmpty(saleId)
      })
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
    } else if (notice.type === 'aside') {
      void this.#sayTheyAreThere(room.wake(notice.accounts))
    }
  }

  /** Between two portions whatever else has come is heeded: to be let in must not wait until thousands were told. */
  async #tellWhoIsDue(): Promise<void> {
    const { clock } = this.#options
    for (const { room } of this.#rooms.values())
      while (room.turn(clock.nowMs(), toldAtOnce) === toldAtOnce) await nextTurnOfLoop()
  }

  async #sayWhoIsThere(): Promise<void> {
    for (const { room } of this.#rooms.values()) await this.#sayTheyAreThere(room.near.sayAll())
  }

  /** Places of those who do not listen are kept while they may be given back, and no longer. */
  async #closeWhatIsOver(): Promise<void> {
    const { catalogue } = this.#options
    for (const [saleId, { room }] of this.#rooms) {
      if (room.listening > 0) continue
      const sale = await catalogue.sale(saleId).catch(() => undefined)
      if (sale?.status === 'closed') room.tellStatus('closed')
      this.#closeIfEmpty(saleId)
    }
  }

  /** What fails is said again with the next round. */
  async #sayTheyAreThere(saying: Promise<void>): Promise<void> {
    try {
      await saying
    } catch (err) {
      this.#options.log.debug({ err }, 'presence')
    }
  }

  /** Answers a new epoch: puts back who waited here, then says so. A repeated notice puts back nobody twice. */
  async #answerEpoch(saleId: string, epoch: number): Promise<void> {
    const { queue, processId, log } = this.#options
    const room = this.#rooms.get(saleId)?.room
    this.#answering.add(saleId)
    try {
      await this.#putBack(saleId, room?.places.waitersBefore(epoch) ?? [])
      room?.places.notePutBack(epoch)
      // Before anybody is let in: who is there was forgotten with everything else.
      await room?.near.sayAll()
      await queue.restore(saleId, [], { edge: processId, last: true })
    } catch (error) {
      // The writer repeats the notice until every edge has answered.
      log[levelOfFailure(error)]({ err: error, saleId, epoch }, 'waiters could not be put back yet')
    } finally {
      this.#answering.delete(saleId)
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
      for (const waiter of some.filter(isUsed)) this.#rooms.get(saleId)?.room.places.noteUsed(waiter)
      await queue.restore(
        saleId,
        some.filter((waiter) => !isUsed(waiter)),
      )
    }
  }
}
