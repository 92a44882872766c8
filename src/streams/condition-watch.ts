import { interval, Subscription } from 'rxjs'
import type { Clock } from '../clock.ts'
import type { Sql } from '../db/postgres.ts'
import type { RedisServer, RedisServers } from '../db/redis-servers.ts'
import { callTimeoutMs } from '../domain/payments/payment.ts'
import { readHouse, type HouseReading } from '../domain/processes/house-reading.ts'
import type { Service } from '../service.ts'
import type { Broker } from './broker.ts'
import type { Conditions } from './conditions.ts'
import { epochChannel, epochNotice } from './house-channels.ts'
import { leaseMs } from './lease.ts'
import { reader } from './outbox-relay.ts'
import { Probe } from './probe.ts'

export interface ConditionWatchOptions {
  /** Of its own: in a crowd the others are asked for before this. */
  readonly sql: Sql
  /** What requests go by. */
  readonly pool: Sql
  readonly redis: RedisServers
  readonly broker: Broker
  readonly clock: Clock
  readonly conditions: Conditions
  /** Orders that this process could not write yet. */
  readonly ordersSaving: () => number
}

const lookMs = 1_000
/** A writer renews its lease twice a second. */
const silentMs = 1_200
/** A sale is new, or was given up for another process to take, for fewer looks than this. */
const unownedLooks = 3
const lateMs = 5_000
/** By then whoever asked the payment provider has given up, and has told why. */
const unheardMs = callTimeoutMs + 1_000
const offMsMax = 1_000
/** Written again and again; nobody reads it. */
const probeKey = 'openrun:probe'

/** Looks once a second how the stores are, and what they say of all processes together. */
export class ConditionWatch implements Service {
  readonly name = 'conditions'
  readonly #options: ConditionWatchOptions
  readonly #postgres: Probe
  readonly #pool: Probe
  readonly #redis: Probe
  readonly #work = new Subscription()
  #unownedLooks = 0
  #awayBefore: readonly string[] = []

  constructor(options: ConditionWatchOptions) {
    this.#options = options
    const { clock, pool } = options
    this.#postgres = new Probe({ clock, ask: () => this.#askPostgres() })
    this.#pool = new Probe({ clock, ask: async () => void (await pool`select 1`) })
    this.#redis = new Probe({ clock, ask: () => this.#askRedis() })
  }

  async run(): Promise<void> {
    this.#work.add(interval(lookMs).subscribe(() => this.#look()))
    const notices$ = this.#options.broker.messages(epochChannel, epochNotice)
    // The writer repeats it until the line is whole. The first epoch of a sale follows no loss.
    this.#work.add(
      notices$.subscribe(({ sale, epoch }) => {
        if (epoch > 1) this.#options.conditions.seen('lines-restoring', { detail: { sale, epoch } })
      }),
    )
  }

  async stop(): Promise<void> {
    this.#work.unsubscribe()
  }

  #look(): void {
    const { conditions, ordersSaving } = this.#options
    this.#postgres.look()
    this.#pool.look()
    this.#redis.look()
    // No connection may be left to be had where one is still open; that requests wait for one is no failure.
    const failure = this.#postgres.isAway ? this.#postgres.error : this.#pool.failure
    if (failure !== undefined) conditions.seen('postgresql-away', { detail: { err: failure } })
    if (this.#redis.isAway) this.#noteRedis(this.#redis.error)
    this.#noteNodes()
    const orders = ordersSaving()
    if (orders > 0) conditions.seen('orders-saving', { detail: { orders } })
    conditions.look()
  }

  #noteRedis(error: Error | undefined): void {
    const refusal = /^(OOM|READONLY|MISCONF|NOREPLICAS)\b/.exec(error?.message ?? '')?.[1]
    const { conditions } = this.#options
    if (refusal === undefined) conditions.seen('redis-away', { detail: { err: error } })
    else conditions.seen('redis-refuses-writes', { detail: { reason: refusal } })
  }

  /** A node that was just met is not known yet. */
  #noteNodes(): void {
    const { redis, conditions } = this.#options
    const { away: nodes } = redis
    const stillAway = nodes.filter((node) => this.#awayBefore.includes(node))
    this.#awayBefore = nodes
    if (stillAway.length > 0) conditions.seen('redis-node-away', { detail: { nodes: stillAway } })
  }

  async #askPostgres(): Promise<void> {
    const { sql, clock } = this.#options
    const fromMs = clock.nowMs()
    const house = await readHouse(sql, { reader, leaseLeftMs: leaseMs - silentMs, unheardMs })
    this.#compareClocks('PostgreSQL', house.nowMs, fromMs)
    this.#note(house)
  }

  #note({ silent, unowned, outboxMs, paymentsLate }: HouseReading): void {
    const { conditions } = this.#options
    this.#unownedLooks = unowned > 0 ? this.#unownedLooks + 1 : 0
    const sales = silent + (this.#unownedLooks >= unownedLooks ? unowned : 0)
    if (sales > 0) conditions.seen('sale-without-writer', { detail: { sales } })
    if (outboxMs > lateMs) conditions.seen('outbox-late', { detail: { outboxMs: Math.round(outboxMs) } })
    if (paymentsLate > 0) conditions.seen('payments-late', { detail: { payments: paymentsLate } })
  }

  /**
   * Answering is not enough: Redis has to write, and no script may be sent before it is known who answers. Of a cluster one
   * node is looked at closely, as long as it is there; that any answers is enough.
   */
  async #askRedis(): Promise<void> {
    const { redis, clock } = this.#options
    await redis.mustBeReady()
    const server = knownServerOf(redis, probeKey)
    if (server === undefined) return
    const { commands } = server
    const fromMs = clock.nowMs()
    const [[seconds = 0, micros = 0]] = await Promise.all([
      commands.time(),
      commands.set(probeKey, '', 'EX', 10),
    ])
    this.#compareClocks('Redis', Number(seconds) * 1_000 + Number(micros) / 1_000, fromMs)
  }

  /** What the answer was under way for says nothing about the clocks. */
  #compareClocks(store: string, theirsMs: number, fromMs: number): void {
    const { clock, conditions } = this.#options
    const toMs = clock.nowMs()
    const offMs = Math.round(theirsMs - (fromMs + toMs) / 2)
    if (Math.abs(offMs) > offMsMax + (toMs - fromMs) / 2)
      conditions.seen('clock-off', { detail: { store, offMs } })
  }
}

function knownServerOf(redis: RedisServers, key: string): RedisServer | undefined {
  try {
    const server = redis.of(key)
    return server.runId === '' ? undefined : server
  } catch {
    return undefined
  }
}
