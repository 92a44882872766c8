import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import t from 'tap'
import { startLocalRedis } from '../../src/db/local/local-redis.ts'
import { RedisProcess } from './redis-process.ts'
import { redisBinary, useOwnRedis, usePostgres, useStores, type Scope } from './stores.ts'

t.test('a test file gets a migrated database and an empty Redis of its own', async (t) => {
  const [one, other] = [await useStores(t), await useStores(t)]
  t.not(one.postgresUrl, other.postgresUrl)
  t.not(one.redis.pid, other.redis.pid)
  const sql = postgres(one.postgresUrl, { max: 1 })
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables where table_schema = 'public'`
  t.ok(tables.some(({ name }) => name === 'sales'))
  await sql.end()
  const redis = new Redis(one.redisUrl)
  t.equal(await redis.dbsize(), 0)
  await redis.quit()
})

t.test('a database can be had without tables, for tests of the migrations', async (t) => {
  const { postgresUrl } = await usePostgres(t, { empty: true })
  const sql = postgres(postgresUrl, { max: 1 })
  const [row] = await sql<{ tables: number; ctype: string }[]>`
    select (select count(*)::int from information_schema.tables where table_schema = 'public') as tables,
      (select datctype from pg_database where datname = current_database()) as ctype`
  t.same(row, { tables: 0, ctype: 'C.UTF-8' })
  await sql.end()
})

t.test('a connection that is left open fails the test that left it', async (t) => {
  const ends: (() => unknown)[] = []
  const scope: Scope = { teardown: (work) => void ends.unshift(work) }
  const { postgresUrl } = await usePostgres(scope, { patienceMs: 100 })
  const sql = postgres(postgresUrl, { max: 1, connection: { application_name: 'forgotten' } })
  await sql`select 1`
  await t.rejects(async () => {
    for (const end of ends) await end()
  }, /left open: forgotten: select 1/)
  await sql.end()
})

t.test('an append-only Redis that is killed comes back on its port with its content', async (t) => {
  const redis = await useOwnRedis(t, { appendOnly: true })
  const client = new Redis(redis.url, { retryStrategy: () => 10 })
  client.on('error', () => {})
  await client.set('kept', 'yes')
  const { port, pid } = redis
  await redis.kill()
  await redis.restart()
  t.equal(redis.port, port)
  t.not(redis.pid, pid)
  t.equal(await client.get('kept'), 'yes')
  await client.quit()
})

t.test('a server whose port another one has is not taken for started', async (t) => {
  const binary = await redisBinary()
  const other = await useOwnRedis(t)
  const folder = await mkdtemp(join(tmpdir(), 'openrun-redis-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const started = startLocalRedis({ binary, folder, appendOnly: false, port: other.port })
  await t.rejects(started, { name: 'StartError', message: /Failed listening/ })
  const mute = createServer({ allowHalfOpen: true }, (socket) => void socket.resume()).listen(0, '127.0.0.1')
  t.teardown(() => mute.close())
  await once(mute, 'listening')
  const { port } = mute.address() as AddressInfo
  await t.rejects(startLocalRedis({ binary, folder, appendOnly: false, port }), { name: 'StartError' })
  const lines = () => ['save ""']
  const one = await RedisProcess.start({ program: 'redis-server', binary, lines })
  t.teardown(() => one.end())
  await one.kill()
  const second = await startLocalRedis({ binary, folder, appendOnly: false, port: one.port })
  t.teardown(() => second.stop())
  await t.rejects(one.restart(), { name: 'StartError', message: /other programs took/ })
})

t.test('a Redis that keeps nothing comes back empty', async (t) => {
  const redis = await useOwnRedis(t)
  const client = new Redis(redis.url, { retryStrategy: () => 10 })
  client.on('error', () => {})
  await client.set('kept', 'yes')
  await redis.kill()
  await redis.restart()
  t.equal(await client.get('kept'), null)
  await client.quit()
})
