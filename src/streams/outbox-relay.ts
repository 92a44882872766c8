import { interval, merge, Subject, type Subscription } from 'rxjs'
import { readOutbox, type OutboxPosition, type OutboxRow } from '../db/outbox.ts'
import type { Sql } from '../db/postgres.ts'
import type { RedisServers } from '../db/redis-servers.ts'
import { levelOfFailure } from '../db/store-away.ts'
import { Problem } from '../errors.ts'
import { advanceRelay, leaseRelay, releaseRelay } from '../domain/orders/relay-store.ts'
import { saleStateErrors } from '../domain/sale-state/sale-failures.ts'
import { placesChange, type OrderEntryBody, type UnitSync } from '../domain/units/unit-sync.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import { accountChannel, saleChannel, type AccountNotice } from './house-channels.ts'
import { runLatest } from './run-latest.ts'

export interface OutboxRelayOptions {
  readonly sql: Sql
  readonly redis: Pick<RedisServers, 'publish'>
  readonly sync: UnitSync
  readonly processId: string
  readonly log: Log
}

/** The relay's name among the readers of the outbox. */
export const reader = 'relay'
const leaseMs = 2500
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
    const { sql, processId, log } = this.#options
    try {
      const position = await leaseRelay(sql, { reader, processId, leaseMs })
      if (position !== undefined) await this.#relay(position)
      this.#failing = false
    } catch (error) {
      if (!this.#failing)
        log[levelOfFailure(error)]({ err: error }, 'the outbox waits until its stores answer')
      this.#failing = true
    }
  }

  async #relay(position: OutboxPosition): Promise<void> {
    const { sql, processId } = this.#options
    const rows = await readOutbox(sql, { after: position, limit: portion })
    const last = rows.at(-1)
    if (last === undefined) return
    await Promise.all([...bySale(rows)].map(([saleId, ofSale]) => this.#applyPlaces(saleId, ofSale)))
    await this.#tell(rows)
    const still = await advanceRelay(sql, { reader, processId, position: last })
    if (still && rows.length === portion) this.#now$.next()
  }

  /** A sale that Redis has forgotten is passed over: its rebuild reads what PostgreSQL has, this included. */
  async #applyPlaces(saleId: string, rows: readonly OutboxRow[]): Promise<void> {
    const changes = rows.flatMap((row) =>
      row.topic === 'order' ? placesChange(row.body as OrderEntryBody) : [],
    )
    if (changes.length === 0) return
    try {
      await this.#options.sync.apply(saleId, changes)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== saleStateErrors.restoring.code) throw error
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

function bySale(rows: readonly OutboxRow[]): Map<string, OutboxRow[]> {
  const groups = new Map<string, OutboxRow[]>()
  for (const row of rows) {
    const group = groups.get(row.saleId)
    if (group === undefined) groups.set(row.saleId, [row])
    else group.push(row)
  }
  return groups
}
