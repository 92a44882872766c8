import { systemClock } from '../../src/clock.ts'
import type { Sql } from '../../src/db/postgres.ts'
import type { RedisServers } from '../../src/db/redis-servers.ts'
import { OneRedis } from '../../src/db/one-redis.ts'
import type { Redis } from '../../src/db/redis.ts'
import { AdmissionGate } from '../../src/domain/queue/admission-gate.ts'
import { DrawEntering } from '../../src/domain/queue/draw-entering.ts'
import { QueueStore } from '../../src/domain/queue/queue-store.ts'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { SaleState } from '../../src/domain/sale-state/sale-state.ts'
import { becomeWriter, type Writership } from '../../src/domain/sale-state/sale-writer.ts'
import { SaleCatalogue, saleSource } from '../../src/domain/sales/sale-catalogue.ts'
import { HoldStore } from '../../src/domain/units/hold-store.ts'
import { UnitSync } from '../../src/domain/units/unit-sync.ts'
import { randomIds } from '../../src/ids.ts'
import { createLog, type Log } from '../../src/log.ts'
import { useStores, type Scope, type TestRedis } from './stores.ts'
import { unhurriedClock, unhurriedPostgres, unhurriedRedis } from './unhurried.ts'
import { until } from './until.ts'

/** The domain on real stores, without streams and server: a test turns every wheel itself. */
export interface House {
  readonly sql: Sql
  readonly redis: Redis
  readonly servers: RedisServers
  readonly server: TestRedis
  readonly state: SaleState
  readonly queue: QueueStore
  readonly entering: DrawEntering
  readonly holds: HoldStore
  readonly sync: UnitSync
  readonly catalogue: SaleCatalogue
  readonly log: Log
  /** Another connection's view of the same state, as a second process would have. */
  otherState(): Promise<SaleState>
  /** Becomes the writer of the sale, whoever was it, and opens a gate. */
  gate(saleId: string, options?: GateOptions): Promise<{ gate: AdmissionGate; writership: Writership }>
  /** Moves the clock that Redis goes by in this sale. */
  passMs(saleId: string, ms: number): Promise<void>
  /** The same, as if the gate had worked all the while, though nobody was let in. */
  passAtWorkMs(saleId: string, ms: number): Promise<void>
}

export interface GateOptions {
  readonly restoreMs?: number
  readonly announceEpoch?: (saleId: string, epoch: number) => void
}

export async function useHouse(t: Scope): Promise<House> {
  const stores = await useStores(t)
  const log = createLog({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })
  const sql = unhurriedPostgres({ url: stores.postgresUrl, connections: 5, name: 'test' })
  t.teardown(() => sql.end({ timeout: 1 }))
  const connect = async (): Promise<{ redis: Redis; servers: OneRedis; state: SaleState }> => {
    const redis = unhurriedRedis({ url: stores.redisUrl, name: 'test', log })
    t.teardown(() => redis.disconnect())
    await redis.connect()
    const one = new OneRedis(redis, unhurriedClock)
    await until('the run_id is known', () => one.isKnown)
    return { redis, servers: one, state: new SaleState(one) }
  }
  const { redis, servers, state } = await connect()
  const holds = new HoldStore(state)
  const catalogue = new SaleCatalogue({ source: saleSource(sql), clock: unhurriedClock })
  const sync = new UnitSync({ sql, holds })
  return {
    sql,
    redis,
    servers,
    server: stores.redis,
    state,
    queue: new QueueStore(state),
    entering: new DrawEntering({ sql, ids: randomIds, clock: systemClock }),
    holds,
    sync,
    catalogue,
    log,
    otherState: async () => (await connect()).state,
    gate: async (saleId, options = {}) => {
      // Both at once, or a round of the process that was the writer may take the sale again in between.
      const writership = await sql.begin(async (tx) => {
        await tx`update sale_writers set lease_until = null where sale_id = ${saleId}`
        return await becomeWriter(tx, { saleId, processId: 'prc_test', leaseMs: 60_000 })
      })
      if (writership === undefined) throw new Error('somebody else writes to the sale')
      const gate = new AdmissionGate({
        sql,
        state,
        catalogue,
        writership,
        replay: (id, after) => sync.replay(id, after),
        restoreMs: options.restoreMs ?? 0,
        announceEpoch: options.announceEpoch ?? (() => {}),
        log,
      })
      await gate.begin()
      return { gate, writership }
    },
    passMs: async (saleId, ms) => {
      await redis.hincrby(saleKeys(saleId).state, 'offset_ms', ms)
    },
    passAtWorkMs: async (saleId, ms) => {
      const offsetMs = await redis.hincrby(saleKeys(saleId).state, 'offset_ms', ms)
      const [seconds, micros] = await redis.time()
      const nowMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) + offsetMs
      await redis.hset(saleKeys(saleId).state, 'head_at', nowMs)
    },
  }
}
