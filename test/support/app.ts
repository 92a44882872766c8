import { systemClock } from '../../src/clock.ts'
import { compose, type App } from '../../src/compose.ts'
import type { ComposeOptions } from '../../src/compose-foundation.ts'
import { parseConfig } from '../../src/config.ts'
import type { Sql } from '../../src/db/postgres.ts'
import type { Redis } from '../../src/db/redis.ts'
import { ensureFirstOrganiser } from '../../src/domain/accounts/organiser-key.ts'
import { randomIds } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { Calls } from './calls.ts'
import { Contract, type ApiDocument } from './contract.ts'
import { LiveContract, type LiveDocument } from './live-contract.ts'
import { useStores, type Scope, type TestRedis } from './stores.ts'
import { lookIntoRedis, unhurriedPostgres } from './unhurried.ts'

type Config = ComposeOptions['config']

export interface AppOptions {
  /** All roles unless told. */
  readonly roles?: Config['roles']
  readonly config?: Partial<Omit<Config, 'roles'>>
}

/** A whole server of this process on stores of its own, reached over real sockets. */
export interface TestApp extends Calls {
  readonly app: App
  /** A look into the stores beside the server's own connections. */
  readonly sql: Sql
  readonly redis: Redis
  readonly redisServer: TestRedis
  readonly contract: Contract
  readonly live: LiveContract
  /** One more process on the same stores, as far as that can be had in this one. */
  beside(options?: AppOptions): Promise<{ readonly app: App; readonly calls: Calls }>
}

/** Everything stops at the end of the test, which fails when a connection to PostgreSQL is left open. */
export async function useApp(t: Scope, options: AppOptions = {}): Promise<TestApp> {
  const stores = await useStores(t)
  const log = createLog({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })
  const sql = unhurriedPostgres({ url: stores.postgresUrl, connections: 3, name: 'test' })
  t.teardown(() => sql.end())
  const redis = lookIntoRedis(stores.redisUrl)
  t.teardown(() => redis.disconnect())
  const organiser = await ensureFirstOrganiser(sql, randomIds)
  if (organiser === undefined) throw new Error('there was an organiser before the test')
  const begin = async (some: AppOptions): Promise<App> => {
    const app = await compose({ ...settings(some), ...stores, ...parts, log })
    t.teardown(() => app.stop())
    await app.run()
    return app
  }
  const app = await begin(options)
  const contract = new Contract(app.server?.openApi() as ApiDocument)
  const live = new LiveContract(app.server?.asyncApi() as LiveDocument)
  const callsOf = (server: App) =>
    new Calls(t, { port: server.server?.port ?? 0, organiserKey: organiser.key, contract, live })
  return Object.assign(callsOf(app), {
    app,
    sql,
    redis,
    contract,
    live,
    redisServer: stores.redis,
    beside: async (more: AppOptions = {}) => {
      const other = await begin(more)
      return { app: other, calls: callsOf(other) }
    },
  })
}

const parts = { version: '0.0.0', clock: systemClock, ids: randomIds, random: Math.random }

function settings({ roles, config }: AppOptions): { config: Config } {
  const parsed = parseConfig({ env: {}, argv: [] })
  if (parsed.help) throw new Error('asked for help')
  const quick = { host: '127.0.0.1', port: 0, admissionTickMs: 20, restoreSeconds: 2, postgresConnections: 5 }
  return { config: { ...parsed.config, ...quick, ...config, ...(roles === undefined ? {} : { roles }) } }
}
