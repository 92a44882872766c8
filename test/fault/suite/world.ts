import type { Redis } from 'ioredis'
import { connectPostgres, type Sql } from '../../../src/db/postgres.ts'
import { migrate } from '../../../src/db/migrate.ts'
import { ensureFirstOrganiser } from '../../../src/domain/accounts/organiser-key.ts'
import { randomIds } from '../../../src/ids.ts'
import type { RedisShape } from './fault.ts'
import { builtProgram } from './guards.ts'
import type { Narrowing, RoundSale } from './sales.ts'
import { Server } from './server.ts'
import type { Loss } from './tenures.ts'
import { BreakableStores } from './stores.ts'
import { lookIntoRedis } from '../../support/unhurried.ts'

/** Two edges, and two processes that do everything else and stand in for each other. */
const crew = [
  { name: 'edge-1', roles: 'edge' },
  { name: 'edge-2', roles: 'edge' },
  { name: 'back-1', roles: 'admission,payments,worker' },
  { name: 'back-2', roles: 'admission,payments,worker' },
] as const

/** Longer than anything that keeps an edge from putting its people back, and short enough for a round. */
const restoreSeconds = '15'

export interface WorldOptions {
  /** Another program than the one that was built: one in which a guard was taken out. */
  readonly program?: string | undefined
  /** What Redis is; one server where left out. */
  readonly shape?: RedisShape
  readonly log: (line: string) => void
}

/** Everything that can be broken, and our own view of the stores, which goes past all links. */
export class World {
  readonly stores: BreakableStores
  readonly servers: readonly Server[]
  readonly organiserKey: string
  readonly log: (line: string) => void
  /** Those that people come to in this round, and what was said to their gates. */
  sales: readonly RoundSale[] = []
  narrowings: Narrowing[] = []
  /** When Redis lost what it held, in this round, by our clock. */
  losses: Loss[] = []
  readonly #turns = new Map<object, Promise<void>>()
  #sql: Sql
  readonly #redis: Redis

  private constructor(parts: {
    stores: BreakableStores
    servers: readonly Server[]
    organiserKey: string
    log: (line: string) => void
  }) {
    this.stores = parts.stores
    this.servers = parts.servers
    this.organiserKey = parts.organiserKey
    this.log = parts.log
    this.#sql = sqlOf(parts.stores)
    this.#redis = lookIntoRedis(parts.stores.redisUrl)
  }

  static async make(options: WorldOptions): Promise<World> {
    const { log, program = builtProgram, shape = 'one' } = options
    const stores = await BreakableStores.start({ log, shape })
    await migrate({ url: stores.postgresUrl })
    const sql = sqlOf(stores)
    const organiser = await ensureFirstOrganiser(sql, randomIds)
    await sql.end()
    const env = {
      OPENRUN_RESTORE_SECONDS: restoreSeconds,
      OPENRUN_POSTGRES_CONNECTIONS: '8',
      ...stores.severalSettings,
    }
    const servers: Server[] = []
    for (const { name, roles } of crew) {
      servers.push(await Server.make(name, { program, roles, stores: () => stores, env }))
    }
    const world = new World({ stores, servers, organiserKey: organiser?.key ?? '', log })
    try {
      await Promise.all(servers.map((server) => server.start()))
      return world
    } catch (error) {
      await world.end()
      throw error
    }
  }

  get sql(): Sql {
    return this.#sql
  }

  get redis(): Redis {
    return this.#redis
  }

  get edges(): readonly Server[] {
    return this.servers.slice(0, 2)
  }

  get backs(): readonly Server[] {
    return this.servers.slice(2)
  }

  /** Somewhere in this work Redis is not what it was before: whoever held something may have lost it. */
  async losing(work: () => Promise<unknown>): Promise<void> {
    const fromMs = Date.now()
    try {
      await work()
    } finally {
      this.losses.push({ fromMs, toMs: Date.now() })
    }
  }

  /** What ends and begins one and the same thing does so in turn, however many faults come together. */
  async inTurn(things: readonly object[], work: () => Promise<void>): Promise<void> {
    const [thing, ...others] = things
    if (thing === undefined) return await work()
    const before = this.#turns.get(thing) ?? Promise.resolve()
    const turn = before.then(() => this.inTurn(others, work))
    this.#turns.set(
      thing,
      turn.catch(() => undefined),
    )
    await turn
  }

  /** After PostgreSQL was started again: all links lead to it, and so do we. */
  async followPostgres(): Promise<void> {
    await this.#sql.end({ timeout: 0 })
    this.#sql = sqlOf(this.stores)
    const port = Number(new URL(this.stores.postgresUrl).port)
    for (const { postgres } of this.servers) postgres.mend(port)
  }

  /** Everything runs again and every link is as good as new. */
  async mend(): Promise<void> {
    for (const server of this.servers) {
      for (const link of [server.front, server.postgres, server.redis]) link.mend()
      server.signal('SIGCONT')
    }
    this.stores.redis.signal('SIGCONT')
    const fallen = this.servers.filter(({ isRunning }) => !isRunning)
    await Promise.all(fallen.map((server) => server.start()))
  }

  async end(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()))
    await this.#sql.end({ timeout: 0 })
    this.#redis.disconnect()
    await this.stores.end()
  }
}

function sqlOf(stores: BreakableStores): Sql {
  return connectPostgres({ url: stores.postgresUrl, connections: 2, name: 'faults' })
}
