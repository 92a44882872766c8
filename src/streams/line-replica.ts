import { Subject, type Observable, type Subscription } from 'rxjs'
import type { Clock } from '../clock.ts'
import { headUpdate, type HeadUpdate } from '../domain/queue/queue-messages.ts'
import type { LineReading, QueueStore } from '../domain/queue/queue-store.ts'
import { saleChannels } from '../domain/sale-state/sale-keys.ts'
import type { Log } from '../log.ts'
import type { Broker } from './broker.ts'

export interface LineReplicaOptions {
  readonly saleId: string
  readonly queue: Pick<QueueStore, 'readLine'>
  readonly broker: Pick<Broker, 'messages'>
  readonly clock: Clock
  readonly log: Log
  /** Told of each reading of the whole line, for the metrics. */
  readonly onRead?: () => void
  /** Told of each head update that is news, for the metrics. */
  readonly onHeard?: () => void
}

/** A line that cannot be followed is not read more often than this. */
const readPauseMs = 1000
/** Updates kept while the line is read; more of them mean that it is read once more. */
const earlyMax = 100

/**
 * One sale's line as this process knows it, kept by head updates: a rank costs no call. Updates follow each other by
 * `prev`; on a gap, or in another epoch, the whole line is read once, and what comes meanwhile is applied after it.
 */
export class LineReplica {
  readonly #options: LineReplicaOptions
  readonly #updates: Subscription
  readonly #heads = new Subject<HeadUpdate>()
  /** Each head update, once ranks go by it or the line is being read anew. */
  readonly head$: Observable<HeadUpdate> = this.#heads.asObservable()
  #head: HeadUpdate | undefined
  #line: LineReading | undefined
  #seq = -1
  #tail = 0
  #early: HeadUpdate[] = []
  #isReading = false
  #readAtMs = -Infinity
  #isStopped = false

  constructor(options: LineReplicaOptions) {
    this.#options = options
    this.#updates = options.broker
      .messages(saleChannels.line(options.saleId), headUpdate)
      .subscribe((update) => this.#take(update))
  }

  /** The newest update; undefined before the first. */
  get head(): HeadUpdate | undefined {
    return this.#head
  }

  get size(): number {
    return this.#line?.order.size ?? 0
  }

  /** How many come before this one; undefined when it is not in the line, as far as this process knows. */
  rank(sequence: number): number | undefined {
    return this.#line?.order.rank(sequence)
  }

  stop(): void {
    this.#isStopped = true
    this.#updates.unsubscribe()
    this.#heads.complete()
  }

  #take(update: HeadUpdate): void {
    if (this.#isOld(update)) return
    this.#head = update
    this.#options.onHeard?.()
    if (this.#isReading) {
      this.#early.push(update)
      if (this.#early.length > earlyMax) this.#early.shift()
    } else if (!this.#apply(update)) {
      void this.#read()
    }
    this.#heads.next(update)
  }

  #isOld({ epoch, seq }: HeadUpdate): boolean {
    const newest = this.#head
    return newest !== undefined && (epoch < newest.epoch || (epoch === newest.epoch && seq <= newest.seq))
  }

  /** False when the update does not follow what is known. */
  #apply({ epoch, prev, seq, tail, moves }: HeadUpdate): boolean {
    const line = this.#line
    if (line === undefined || epoch !== line.epoch) return false
    if (seq <= this.#seq) return true
    if (prev !== this.#seq) return false
    line.order.issue(epoch, this.#tail + 1, tail)
    this.#tail = Math.max(this.#tail, tail)
    for (const move of moves) {
      const sequence = Number(move.slice(1))
      if (move.startsWith('+')) line.order.enter(sequence)
      else if (move.startsWith('-')) line.order.leave(sequence)
      else line.order.leaveUpTo(sequence)
    }
    this.#seq = seq
    return true
  }

  async #read(): Promise<void> {
    const { queue, saleId, clock, log, onRead } = this.#options
    if (clock.nowMs() - this.#readAtMs < readPauseMs) return
    this.#isReading = true
    this.#readAtMs = clock.nowMs()
    this.#early = []
    try {
      const line = await queue.readLine(saleId)
      onRead?.()
      this.#line = line
      this.#seq = line.seq
      this.#tail = line.tail
    } catch (err) {
      log.debug({ err, saleId }, 'the line is read again later')
    }
    this.#isReading = false
    if (this.#isStopped) return
    const followed = this.#early.every((update) => this.#apply(update))
    this.#early = []
    // The next update finds the gap as well, and the line is read again.
    if (!followed) log.debug({ saleId }, 'the line has moved on while it was read')
  }
}
