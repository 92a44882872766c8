import { interval, merge, Subject, type Subscription } from 'rxjs'
import { readOutbox, type OutboxPosition, type OutboxRow } from '../db/outbox.ts'
import type { Sql } from '../db/postgres.ts'
import type { RedisServers } from '../db/redis-servers.ts'
import { levelOfFailure } from '../db/store-away.ts'
import { generalErrors, Problem } from '../errors.ts'
import { advanceRelay, leaseRelay, releaseRelay } from '../domain/orders/relay-store.ts'
import { saleStateErrors } from '../domain/sale-state/sale-failures.ts'
import type { PlacesChange } from '../domain/units/hold-store.ts'
import { placesChange, type OrderEntryBody, type UnitSync } from '../domain/units/unit-sync.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import { accountChannel, saleChannel, type AccountNotice } from './house-channels.ts'
import { runLatest } from './run-latest.ts'

export interface OutboxRelayOptions {
  readonly sql: Sql
  readonly redis: Pick<RedisServers, 'publish' | 'mustBeReady'>
  readonly sync: UnitSync
  readonly processId: string
  readonly log: Log
  /** For tests that take their time. */
  readonly leaseMs?: number
}

/** The relay's name among the readers of the outbox. */
export const reader = 'relay'
const defaultLeaseMs = 2500
/** How long an entry may lie when nothing else hurries it. */
const lookMs = 200
const portion = 1000
/** Some 100 bytes each. */
const noticesAtOnce = 200

/**
 * Carries what transactions left in the outbox to where it is waited for: places to Redis, orders to their accounts,
 * changes of sales to every process. One process relays at a time; every step may be done twice.
 */
export class OutboxRelay implements Service {
  readonly name = 'outbox-relay'
  readonly #options: OutboxRelayOptions
  readonly #now$ = new Subject<void>()
  #rounds: Subscription | undefined
  #running: Promise<void> = Promise.resolve()
  #failing = false
  /** How far this process has read, as long as it is the one that relays. */
  #read: OutboxPosition | undefined
  /** Sales that could not be told, each with a position before the first entry that waits. */
  readonly #behind = new Map<string, OutboxPosition>()

  constructor(options: OutboxRelayOptions) {
    this.#options = options
  }

  async run(): Promise<void> {
    this.#rounds = merge(interval(lookMs), this.#now$)
      .pipe(runLatest(() => (this.#running = this.#round())))
      .subscribe()
  }

  async stop(): Promise<void> {
    this.#rounds?.unsubscribe()
    await this.#running
    const { sql, processId } = this.#options
    await releaseRelay(sql, { reader, processId }).catch(() => {
      // PostgreSQL is away: the lease ends by itself.
    })
  }

  async #round(): Promise<void> {
    const { sql, processId, log, leaseMs = defaultLeaseMs } = this.#options
    try {
      const position = await leaseRelay(sql, { reader, processId, leaseMs })
      if (position === undefined) this.#forget()
      else await this.#relay(position)
      this.#failing = false
    } catch (error) {
      if (!this.#failing)
        log[levelOfFailure(error)]({ err: error }, 'the outbox waits until its stores answer')
      this.#failing = true
    }
  }

  #forget(): void {
    this.#read = undefined
    this.#behind.clear()
  }

  /**
   * The position on disk moves past nothing that was not applied. Where only a part of Redis is away, its sales stay behind,
   * and the others go on from where they were read last.
   */
  async #relay(position: OutboxPosition): Promise<void> {
    const { sql, processId } = this.#options
    await this.#catchUp()
    const from = this.#read ?? position
    const rows = await readOutbox(sql, { after: from, limit: portion })
    await this.#applyAll(rows, from)
    await this.#tell(rows)
    const read = rows.at(-1) ?? from
    this.#read = read
    if (rows.length === portion) this.#now$.next()
    // What stands there already is not written again five times a second.
    if (this.#behind.size > 0 || (read.xid === position.xid && read.id === position.id)) return
    await advanceRelay(sql, { reader, processId, position: read })
  }

  /** Throws where Redis takes nothing at all. */
  async #applyAll(rows: readonly OutboxRow[], from: OutboxPosition): Promise<void> {
    const changes = [...changesOf(rows)].filter(([saleId]) => !this.#behind.has(saleId))
    const sales = changes.map(([saleId]) => saleId)
    const done = await Promise.allSettled(
      changes.map(([saleId, ofSale]) => passedOver(this.#options.sync.apply(saleId, ofSale))),
    )
    const failures = done.flatMap((one, index) =>
      one.status === 'rejected' ? [{ saleId: sales[index] ?? '', reason: one.reason as unknown }] : [],
    )
    const severe = failures.find(({ reason }) => !isUnavailable(reason))
    if (severe !== undefined) throw severe.reason
    // What no sale takes may be of one server of several.
    if (failures.length > 0 && failures.length === done.length) await this.#options.redis.mustBeReady()
    for (const { saleId } of failures) this.#behind.set(saleId, from)
  }

  /** What stayed behind is read again from there, to its end. */
  async #catchUp(): Promise<void> {
    for (const [saleId, after] of this.#behind) {
      try {
        await passedOver(this.#options.sync.replay(saleId, after))
        this.#behind.delete(saleId)
      } catch (error) {
        if (!isUnavailable(error)) throw error
      }
    }
  }

  async #tell(rows: readonly OutboxRow[]): Promise<void> {
    const { redis } = this.#options
    const notices = rows.flatMap(noticeOf)
    const told: Promise<unknown>[] = rows
      .filter(({ topic }) => topic === 'sale')
      .map(({ saleId }) => redis.publish(saleChannel, saleId))
    // One by one they would cost every process a message for each order of everybody.
    for (let from = 0; from < notices.length; from += noticesAtOnce)
      told.push(redis.publish(accountChannel, JSON.stringify(notices.slice(from, from + noticesAtOnce))))
    await Promise.all(told)
  }
}

function noticeOf({ topic, body }: OutboxRow): AccountNotice[] {
  if (topic !== 'order') return []
  const { account, order, status } = body as OrderEntryBody
  return [{ account, type: 'order', data: { order, status } }]
}

function changesOf(rows: readonly OutboxRow[]): Map<string, PlacesChange[]> {
  const groups = new Map<string, PlacesChange[]>()
  for (const { topic, saleId, body } of rows) {
    const changes = topic === 'order' ? placesChange(body as OrderEntryBody) : []
    if (changes.length > 0) groups.set(saleId, [...(groups.get(saleId) ?? []), ...changes])
  }
  return groups
}

/** A sale that Redis has forgotten is passed over: its rebuild reads what PostgreSQL has, this included. */
async function passedOver(applied: Promise<void>): Promise<void> {
  await applied.catch((error: unknown) => {
    if (!(error instanceof Problem) || error.code !== saleStateErrors.restoring.code) throw error
  })
}

function isUnavailable(error: unknown): boolean {
  return error instanceof Problem && error.code === generalErrors.unavailable.code
}
