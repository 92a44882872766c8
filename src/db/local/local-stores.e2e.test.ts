import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import t from 'tap'
import { homeOf, newOptions, read, write } from '../../../test/support/local-stores.ts'
import { startLocalStores } from './local-stores.ts'

t.test('a second start on the same folder finds what the first one stored', async (t) => {
  const options = await newOptions(t)
  const first = await startLocalStores(options)
  await write(first, 'kept')
  await first.stop()
  const second = await startLocalStores(options)
  t.teardown(() => second.stop())
  t.same(await read(second), { postgres: 'kept', redis: 'kept' })
})

t.test('the local PostgreSQL is durable, open to this machine only, and knows Korean letters', async (t) => {
  const stores = await startLocalStores({ ...(await newOptions(t)), durable: true })
  t.teardown(() => stores.stop())
  const sql = postgres(stores.postgresUrl, { max: 1 })
  const [row] =
    await sql`select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
    current_setting('listen_addresses') as addresses, current_setting('max_connections')::int as connections,
    '서울' ~ '^[[:alpha:]]+$' as letters`
  t.same(row, { fsync: 'on', commit: 'on', addresses: '127.0.0.1', connections: 200, letters: true })
  const stranger = postgres(stores.postgresUrl, { max: 1, password: 'guessed' })
  await t.rejects(stranger`select 1`, { code: '28P01' })
  await Promise.all([sql.end(), stranger.end()])
  const redis = new Redis(stores.redisUrl)
  t.match(await redis.config('GET', 'appendonly'), ['appendonly', 'yes'])
  t.match(await redis.config('GET', 'appendfsync'), ['appendfsync', 'everysec'])
  redis.disconnect()
  const anybody = new Redis({ port: Number(new URL(stores.redisUrl).port), lazyConnect: true })
  anybody.on('error', () => {})
  await t.rejects(anybody.get('x'), /NOAUTH/)
  anybody.disconnect()
})

t.test('stores whose address is given are not started', async (t) => {
  const options = await newOptions(t)
  const both = await startLocalStores({
    ...options,
    databaseUrl: 'postgres://db/x',
    redisUrl: 'redis://cache',
  })
  t.match(both, {
    postgresUrl: 'postgres://db/x',
    redisUrl: 'redis://cache',
    postgres: undefined,
    redis: undefined,
  })
  await both.stop()
  t.notOk(existsSync(options.dataDir))
  const one = await startLocalStores({ ...options, databaseUrl: 'postgres://db/x' })
  t.match(one, { postgresUrl: 'postgres://db/x', postgres: undefined, redis: { pid: Number } })
  await one.stop()
  t.notOk(existsSync(join(homeOf(options), 'postgres')))
})

t.test('a first start that was cut off is begun anew', async (t) => {
  const options = await newOptions(t)
  const stores = await startLocalStores({ ...options, databaseUrl: 'postgres://db/x' })
  await stores.stop()
  await mkdir(join(homeOf(options), 'postgres.new', 'base'), { recursive: true })
  const next = await startLocalStores(options)
  await write(next, 'fine')
  await next.stop()
})
