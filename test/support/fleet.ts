import type { Sql } from '../../src/db/postgres.ts'
import type { Redis } from '../../src/db/redis.ts'
import { ensureFirstOrganiser } from '../../src/domain/accounts/organiser-key.ts'
import { randomIds } from '../../src/ids.ts'
import type { Buyer } from './buyer.ts'
import type { Calls } from './calls.ts'
import type { Answer } from './contract.ts'
import { startServer, type Server } from './server-process.ts'
import { useOwnRedis, useStores, type Scope, type TestRedis } from './stores.ts'
import { until } from './until.ts'
import { lookIntoRedis, unhurriedPostgres } from './unhurried.ts'

/** Server processes of their own, to be killed. */
export interface Servers {
  readonly sql: Sql
  start(env?: Readonly<Record<string, string>>): Promise<Server>
}

/** The same with stores of their own. */
export interface Fleet extends Servers {
  readonly redis: Redis
  readonly redisServer: TestRedis
  readonly postgresUrl: string
}

/** `appendOnly`: what Redis holds survives its restart, but for the last second. */
export async function useFleet(t: Scope, options: { appendOnly?: boolean } = {}): Promise<Fleet> {
  const stores = await useStores(t)
  const redisServer = options.appendOnly === true ? await useOwnRedis(t, { appendOnly: true }) : stores.redis
  const { postgresUrl } = stores
  const servers = await useServers(t, { postgresUrl, settings: { REDIS_URL: redisServer.url } })
  const redis = lookIntoRedis(redisServer.url)
  t.teardown(() => redis.disconnect())
  return { ...servers, redis, redisServer, postgresUrl }
}

/** @param options.settings where Redis is */
export async function useServers(
  t: Scope,
  options: { postgresUrl: string; settings: Readonly<Record<string, string>> },
): Promise<Servers> {
  const sql = unhurriedPostgres({ url: options.postgresUrl, connections: 3, name: 'test' })
  t.teardown(() => sql.end())
  const organiser = await ensureFirstOrganiser(sql, randomIds)
  if (organiser === undefined) throw new Error('there was an organiser before the test')
  const env = {
    DATABASE_URL: options.postgresUrl,
    ...options.settings,
    OPENRUN_ADMISSION_TICK_MS: '20',
    OPENRUN_POSTGRES_CONNECTIONS: '5',
    ...(process.env['TEST_LOG_LEVEL'] ? { OPENRUN_LOG_LEVEL: process.env['TEST_LOG_LEVEL'] } : {}),
  }
  return {
    sql,
    start: (more = {}) => startServer(t, { organiserKey: organiser.key, env: { ...env, ...more } }),
  }
}

/** People who have joined one after the other, at one server after the other. */
export async function lineUp(saleId: string, count: number, servers: readonly Calls[]): Promise<Buyer[]> {
  const [first] = servers
  const guests = (await first?.guests(count)) ?? []
  const buyers = guests.map((guest, index) => guest.at(servers[index % servers.length] ?? guest.calls))
  for (const buyer of buyers) {
    const joined = await buyer.join(saleId)
    if (joined.status !== 201) throw new Error(`did not join: ${joined.bytes.toString()}`)
  }
  return buyers
}

/** Asks again while the server says that it is only for now. */
export async function atLast(ask: () => Promise<Answer>): Promise<Answer> {
  let answer = await ask()
  const isServed = async () => answer.status !== 503 || (answer = await ask()).status !== 503
  await until('it is served again', isServed)
  return answer
}

export interface AdmissionRow {
  readonly account: string
  readonly sequence: number
  readonly admittedMs: number
  /** Infinity while it is open. */
  readonly closedMs: number
}

/** All admissions of a sale in the order in which they were given. */
export async function admissionsOf(sql: Sql, saleId: string): Promise<AdmissionRow[]> {
  const rows = await sql<{ account: string; sequence: string; admitted: Date; closed: Date | null }[]>`
    select account_id as account, sequence, admitted_at as admitted, closed_at as closed
    from admissions where sale_id = ${saleId} order by admitted_at, sequence`
  return rows.map(({ account, sequence, admitted, closed }) => ({
    account,
    sequence: Number(sequence),
    admittedMs: admitted.getTime(),
    closedMs: closed?.getTime() ?? Infinity,
  }))
}

/** The most admissions that were open at the same instant. */
export function mostOpen(rows: readonly AdmissionRow[]): number {
  const openAt = (ms: number): number =>
    rows.filter((row) => row.admittedMs <= ms && row.closedMs > ms).length
  return Math.max(0, ...rows.map((row) => openAt(row.admittedMs)))
}

/** The most admissions within any span of so many milliseconds. */
export function mostWithin(rows: readonly AdmissionRow[], spanMs: number): number {
  const from = (ms: number): number =>
    rows.filter((row) => row.admittedMs >= ms && row.admittedMs < ms + spanMs).length
  return Math.max(0, ...rows.map((row) => from(row.admittedMs)))
}
