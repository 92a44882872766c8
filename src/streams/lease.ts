import { interval, merge, Subject, type Observable, type Subscription } from 'rxjs'
import type { Sql } from '../db/postgres.ts'
import { levelOfFailure } from '../db/store-away.ts'
import type { Clock } from '../clock.ts'
import { setWrites } from '../domain/processes/process-store.ts'
import {
  becomeWriter,
  forsakenSales,
  releaseLease,
  renewLeases,
  writingShares,
  type Writership,
} from '../domain/sale-state/sale-writer.ts'
import type { Log } from '../log.ts'
import { Reach } from './reach.ts'
import { runLatest } from './run-latest.ts'

/** How long a sale waits for a writer that fell silent. */
export const leaseMs = 2500
/** How often leases are prolonged and forsaken sales looked for. */
const roundMs = 500
/** Who does not reach Redis for so long says so. */
const cutOffMs = 2_000
/**
 * Who has said so leaves its sales to others when they still reach it after so long: where nobody does, all will have said so by
 * then, and when it is back, all will have found out.
 */
const leftBehindMs = 2_000

/** A sale came into the hands of this process, or went out of them. */
export type LeaseChange =
  | { readonly kind: 'gained'; readonly writership: Writership }
  | { readonly kind: 'lost'; readonly writership: Writership }

/** Keeps this process the writer of its share of the sales, no more and no fewer. */
export class Leases {
  readonly #sql: Sql
  readonly #log: Log
  readonly #onTookOver: (saleId: string) => void
  readonly #onFellSilent: (saleId: string) => void
  readonly #lease: { readonly processId: string; readonly leaseMs: number }
  readonly #held = new Map<string, Writership>()
  readonly #clock: Clock
  readonly #redis: Reach
  /** As PostgreSQL knows it. */
  #isCutOff = false
  #leftBehindSinceMs: number | undefined
  readonly #stopped = new AbortController()
  readonly #changes$ = new Subject<LeaseChange>()
  readonly #now$ = new Subject<void>()
  readonly changes$: Observable<LeaseChange> = this.#changes$.asObservable()
  #rounds: Subscription | undefined
  #running: Promise<void> = Promise.resolve()

  /**
   * @param options `mustReachRedis` rejects where nothing could be written; `onTookOver` and `onFellSilent` are told that a
   * lease had run out, another's or our own
   */
  constructor(options: {
    sql: Sql
    processId: string
    clock: Clock
    mustReachRedis: () => Promise<void>
    log: Log
    onTookOver?: (saleId: string) => void
    onFellSilent?: (saleId: string) => void
    /** For tests that take their time; whoever watches for sales without a writer goes by `leaseMs`. */
    leaseMs?: number
  }) {
    this.#onTookOver = options.onTookOver ?? (() => undefined)
    this.#onFellSilent = options.onFellSilent ?? (() => undefined)
    this.#clock = options.clock
    this.#redis = new Reach({ ask: options.mustReachRedis, clock: options.clock })
    this.#sql = options.sql
    this.#lease = { processId: options.processId, leaseMs: options.leaseMs ?? leaseMs }
    this.#log = options.log
  }

  run(): void {
    this.#rounds = merge(interval(roundMs), this.#now$)
      .pipe(runLatest(() => (this.#running = this.#round())))
      .subscribe()
    this.#now$.next()
  }

  /** Looks for forsaken sales at once, because one may have come to be. */
  look(): void {
    this.#now$.next()
  }

  /** Gives a sale up; it is somebody's again with the next look, unless it is over. */
  async giveUp(saleId: string, over = false): Promise<void> {
    const writership = this.#held.get(saleId)
    if (writership === undefined) return
    this.#lose(writership)
    const wasOwn = await releaseLease(this.#sql, writership, over)
    if (!wasOwn) this.#onFellSilent(saleId)
  }

  /** A lease was not prolonged: it is somebody else's already. */
  forget(writership: Writership): void {
    if (this.#held.get(writership.saleId)?.fence !== writership.fence) return
    this.#lose(writership)
    this.#onFellSilent(writership.saleId)
  }

  /**
   * A fence was refused. Where Redis has only forgotten whose it is, the lease is still that of this process, which would
   * wait for its end: so it is given up. Of somebody else's nothing is touched.
   */
  async letGo(writership: Writership): Promise<void> {
    if (this.#held.get(writership.saleId)?.fence === writership.fence) await this.giveUp(writership.saleId)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#rounds?.unsubscribe()
    await this.#running
    await Promise.allSettled([...this.#held.keys()].map((saleId) => this.giveUp(saleId)))
  }

  async #round(): Promise<void> {
    try {
      await this.#renew()
      await this.#noteReach()
      await this.#takeShare()
    } catch (error) {
      this.#log[levelOfFailure(error)]({ err: error }, 'leases')
    }
  }

  async #renew(): Promise<void> {
    if (this.#held.size === 0) return
    const held = [...this.#held.values()]
    const still = await renewLeases(this.#sql, { ...this.#lease, held })
    for (const writership of held) if (!still.has(writership.saleId)) this.forget(writership)
  }

  async #noteReach(): Promise<void> {
    this.#redis.look()
    const isCutOff = this.#redis.awayMs >= cutOffMs
    if (isCutOff === this.#isCutOff) return
    await setWrites(this.#sql, this.#lease.processId, !isCutOff)
    this.#isCutOff = isCutOff
  }

  /** A share is what remains when all processes that can write take the same number. */
  async #takeShare(): Promise<void> {
    const { sales, writers, nextEndMs } = await writingShares(this.#sql, this.#lease.processId)
    const share = this.#isOfNoUseBeside(writers) ? 0 : Math.ceil(sales / Math.max(1, writers))
    for (const saleId of await forsakenSales(this.#sql, Math.max(0, share - this.#held.size))) {
      const writership = await becomeWriter(this.#sql, { saleId, ...this.#lease })
      if (writership === undefined) continue
      if (writership.tookOver) this.#onTookOver(saleId)
      this.#gain(writership)
    }
    for (const saleId of [...this.#held.keys()].slice(share)) await this.giveUp(saleId)
    if (nextEndMs !== null && nextEndMs < roundMs) void this.#lookIn(nextEndMs)
  }

  #isOfNoUseBeside(writers: number): boolean {
    const nowMs = this.#clock.nowMs()
    if (!this.#isCutOff || writers === 0) this.#leftBehindSinceMs = undefined
    else this.#leftBehindSinceMs ??= nowMs
    return this.#leftBehindSinceMs !== undefined && nowMs - this.#leftBehindSinceMs >= leftBehindMs
  }

  /** Whoever prolongs its leases is never so near to their end: it has fallen silent. */
  async #lookIn(ms: number): Promise<void> {
    await this.#clock.wait(ms, this.#stopped.signal)
    if (!this.#stopped.signal.aborted) this.look()
  }

  #gain(writership: Writership): void {
    this.#held.set(writership.saleId, writership)
    this.#changes$.next({ kind: 'gained', writership })
  }

  #lose(writership: Writership): void {
    this.#held.delete(writership.saleId)
    this.#changes$.next({ kind: 'lost', writership })
  }
}
