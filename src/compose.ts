import type { Role } from './config.ts'
import { PostgresIdempotencyStore } from './domain/accounts/idempotency-store.ts'
import { sweepHolds } from './domain/orders/hold-sweeping.ts'
import { expireDueOrders } from './domain/orders/order-expiring.ts'
import { trimRelayed } from './domain/orders/relay-store.ts'
import { PaymentProcessing } from './domain/payments/payment-processing.ts'
import { moveDueSales } from './domain/sales/sale-scheduling.ts'
import { closeDueStores } from './domain/stores/store-closing.ts'
import { countPopularity } from './domain/stores/store-popularity.ts'
import { composeEdge } from './compose-edge.ts'
import { layFoundation, type ComposeOptions, type Foundation } from './compose-foundation.ts'
import type { Sql } from './db/postgres.ts'
import type { Server } from './server/server.ts'
import type { Service } from './service.ts'
import { Admission } from './streams/admission.ts'
import { Chores, type Chore } from './streams/chores.ts'
import { ConditionWatch } from './streams/condition-watch.ts'
import { GateMetrics } from './streams/gate-metrics.ts'
import { Heartbeat } from './streams/heartbeat.ts'
import { epochChannel, paymentsChannel, saleChannel } from './streams/house-channels.ts'
import { OutboxRelay, reader } from './streams/outbox-relay.ts'

/** One process of the server, wired and not yet running. */
export interface App {
  readonly sql: Sql
  /** Tells every process of a sale that was made or changed outside the routes. */
  readonly announceSale: (saleId: string) => void
  /** Absent without the role `edge`. */
  readonly server: Server | undefined
  /** Resolves when every service runs. */
  run(): Promise<void>
  /** Finishes what is under way, then lets go of everything. */
  stop(): Promise<void>
}

/** What is under way gets this long; then it is cut off, to be found by whoever takes it up. */
const drainWithinMs = 2500

/** Puts a process together from its parts, in the order in which they run. Nothing else wires. */
export async function compose(options: ComposeOptions): Promise<App> {
  const base = await layFoundation(options)
  const has = (role: Role): boolean => options.config.roles.includes(role)
  const edge = has('edge') ? composeEdge(base) : undefined
  const services: Service[] = [
    new Heartbeat({ ...base, roles: options.config.roles }),
    base.keys,
    new ConditionWatch({
      ...base,
      sql: base.watchSql,
      pool: base.sql,
      ordersSaving: edge?.ordersSaving ?? (() => 0),
    }),
    listening('sale changes', () => saleChanges(base, (saleId) => base.changedSales$.next(saleId))),
    ...(has('worker') ? composeWorker(base) : []),
    ...(has('payments') ? composePayments(base) : []),
    ...(has('admission') ? composeAdmission(base) : []),
    ...(edge?.services ?? []),
  ]
  return {
    sql: base.sql,
    announceSale: base.announceSale,
    server: edge?.server,
    run: async () => {
      for (const service of services) await service.run()
    },
    stop: async () => {
      base.conditions.seen('stopping', { forMs: Number.POSITIVE_INFINITY })
      const drained = new AbortController()
      const drains = Promise.allSettled(services.map(async (service) => service.drain?.()))
      await Promise.race([drains, options.clock.wait(drainWithinMs, drained.signal)])
      drained.abort()
      for (const service of services.toReversed()) await service.stop()
      await base.letGo()
    },
  }
}

function composeAdmission(base: Foundation): Service[] {
  const { sql, redis, holds, sync, config, registry, tell, conditions } = base
  const metrics = new GateMetrics(registry)
  const admission = new Admission({
    ...base,
    mustReachRedis: () => redis.mustBeReady(),
    tickMs: config.admissionTickMs,
    restoreMs: config.restoreSeconds * 1000,
    replay: (saleId, after) => sync.replay(saleId, after),
    announceEpoch: (sale, epoch) => tell(epochChannel, JSON.stringify({ sale, epoch })),
    sweep: (writership) => sweepHolds({ sql, holds, sync }, writership),
    onReport: (saleId, report) => metrics.note(saleId, report),
    onTookOver: (sale) => conditions.seen('took-over', { detail: { sale }, forMs: writerChangedForMs }),
    onFellSilent: (sale) => conditions.seen('fell-silent', { detail: { sale }, forMs: writerChangedForMs }),
  })
  return [admission, listening('sales to write', () => saleChanges(base, () => admission.look()))]
}

function composePayments(base: Foundation): Service[] {
  const { broker, conditions } = base
  const payments = new PaymentProcessing({
    ...base,
    onUnheard: (err) => conditions.seen('payments-late', { detail: { err } }),
  })
  const wakes = () => broker.channel(paymentsChannel).subscribe(() => payments.wake())
  return [payments, listening('payments to carry out', wakes)]
}

function composeWorker(base: Foundation): Service[] {
  return [new OutboxRelay(base), new Chores({ chores: choresOf(base), log: base.log })]
}

const minuteMs = 60_000
/** A writer that changed is over at once; so long it is told. */
const writerChangedForMs = 30_000

function choresOf({ sql, keys, config, hurry, announceSale }: Foundation): Chore[] {
  const answers = new PostgresIdempotencyStore(sql)
  return [
    {
      name: 'sales open and close',
      everyMs: 250,
      work: async () => (await moveDueSales(sql)).forEach(announceSale),
    },
    {
      name: 'stores close',
      everyMs: 1_000,
      work: async () => (await closeDueStores(sql)).forEach(announceSale),
    },
    { name: 'popularity is counted', everyMs: minuteMs, work: () => countPopularity(sql) },
    { name: 'orders expire', everyMs: 500, work: () => expireDueOrders(sql, 200, hurry) },
    { name: 'keys rotate', everyMs: 60 * minuteMs, work: () => keys.rotateOld(config.keyRotationDays) },
    { name: 'stored answers fade', everyMs: minuteMs, work: () => answers.forgetOld() },
    { name: 'outbox fades', everyMs: minuteMs, work: () => trimRelayed(sql, { reader, keepHours: 24 }) },
  ]
}

function saleChanges({ broker }: Foundation, heed: (saleId: string) => void) {
  return broker.channel(saleChannel).subscribe(heed)
}

/** A subscription that lives as long as the process works. */
function listening(name: string, subscribe: () => { unsubscribe(): void }): Service {
  let subscription: { unsubscribe(): void } | undefined
  return {
    name,
    run: async () => {
      subscription = subscribe()
    },
    stop: async () => subscription?.unsubscribe(),
  }
}
