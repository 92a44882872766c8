import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectPostgres, isPostgresAway, type Sql } from '../../src/db/postgres.ts'
import { transaction } from '../../src/db/transaction.ts'
import { selfSigned } from '../support/certificate.ts'
import { useCuttableProxy } from '../support/cuttable-proxy.ts'
import { useServers } from '../support/fleet.ts'
import { ServerProcess } from '../support/server-process.ts'
import { useStores } from '../support/stores.ts'
import { until } from '../support/until.ts'

const { postgresUrl, redisUrl } = await useStores(t)
const admin = connectPostgres({ url: postgresUrl, connections: 1, name: 'admin' })
t.teardown(() => admin.end())
const { certificate, key } = selfSigned('localhost')

/** Written by the server itself, beside its data. */
async function give(file: string, text: string): Promise<void> {
  const copy = `copy (select regexp_split_to_table('${text.trim()}', '\\n')) to program 'umask 077; cat > ${file}'`
  await admin.unsafe(copy)
}

async function offerTls(isOffered: boolean): Promise<void> {
  await admin.unsafe(`alter system set ssl = ${isOffered}`)
  await admin`select pg_reload_conf()`
  await until('it is offered, or not', async () => {
    const fresh = connectPostgres({ url: with_('prefer'), connections: 1, name: 'offered' })
    try {
      return (await isEncrypted(fresh)) === isOffered
    } finally {
      await fresh.end()
    }
  })
}

const with_ = (sslmode: string, url = postgresUrl): string => `${url}?sslmode=${sslmode}`

async function isEncrypted(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ ssl: boolean }[]>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`
  return row?.ssl === true
}

function pool(t: Test, sslmode: string, url = postgresUrl): Sql {
  const sql = connectPostgres({ url: with_(sslmode, url), connections: 1, name: 'secret' })
  t.teardown(() => sql.end({ timeout: 0 }))
  return sql
}

await give('test.crt', certificate)
await give('test.key', key)
await admin.unsafe(`alter system set ssl_cert_file = 'test.crt'`)
await admin.unsafe(`alter system set ssl_key_file = 'test.key'`)
await offerTls(true)
t.teardown(async () => {
  for (const name of ['ssl', 'ssl_cert_file', 'ssl_key_file'])
    await admin.unsafe(`alter system reset ${name}`)
  await admin`select pg_reload_conf()`
})

t.test('what sslmode asks for is done, and what goes over it is whole', async (t) => {
  t.equal(await isEncrypted(pool(t, 'disable')), false)
  for (const sslmode of ['prefer', 'require']) t.equal(await isEncrypted(pool(t, sslmode)), true, sslmode)
  const sql = pool(t, 'require')
  const long = 'seat '.repeat(1_000_000)
  const [row] = await sql<{ back: string }[]>`select ${long}::text as back`
  t.ok(row?.back === long)
  await t.rejects(pool(t, 'verify-full')`select 1`, { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
})

t.test('a transaction whose encrypted connection is killed fails, and the next one goes well', async (t) => {
  const sql = pool(t, 'require')
  for (let round = 0; round < 5; round++) {
    const cut = transaction(sql, async (tx) => {
      const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`
      await Promise.all([tx`select pg_sleep(30)`, admin`select pg_terminate_backend(${row?.pid ?? 0})`])
    })
    const error = await cut.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    t.ok(isPostgresAway(error), `it is away: ${String(error)}`)
    await until('it is there again', async () => (await sql`select 1`.catch(() => [])).length === 1)
  }
  t.equal(await isEncrypted(sql), true)
})

t.test('a server that offers no TLS is refused where it is asked for', async (t) => {
  await offerTls(false)
  await t.rejects(pool(t, 'require')`select 1`, { message: /offers no TLS: turn ssl on there/ })
  t.equal(await isEncrypted(pool(t, 'prefer')), false)
  await offerTls(true)
})

t.test('a server of ours outlives all cuts of encrypted connections, also silent ones', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'openrun-tls-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const trusted = join(folder, 'trusted.crt')
  await writeFile(trusted, certificate)
  const proxy = await useCuttableProxy(t, postgresUrl)
  const url = new URL(proxy.url)
  url.hostname = 'localhost'
  const settings = { DATABASE_URL: with_('verify-full', url.href), REDIS_URL: redisUrl }

  const stranger = await new ServerProcess(t, settings).ended
  t.match(stranger, {
    code: 1,
    stderr: /^PostgreSQL at localhost:\d+ cannot be used: self-signed certificate\n$/,
  })

  const servers = await useServers(t, { postgresUrl, settings })
  const server = await servers.start({ NODE_EXTRA_CA_CERTS: trusted })
  const sees = async (isUp: boolean) => {
    const { conditions } = (await server.call('GET', '/readyz')).body as { conditions: { name: string }[] }
    return conditions.some(({ name }) => name === 'postgresql-away') !== isUp
  }
  await until('it is well', () => sees(true))
  for (let round = 0; round < 5; round++) {
    const ended = await admin`select pid, pg_terminate_backend(pid) from pg_stat_ssl where ssl`
    const pids = ended.map(({ pid }) => Number(pid))
    await until('there are others', async () => {
      const others = await admin`select from pg_stat_ssl where ssl and pid <> all(${pids})`
      return pids.length > 0 && others.length > 0
    })
  }
  await until('it is well after all its connections were ended', () => sees(true))
  proxy.cut()
  await until('it is away', () => sees(false))
  proxy.open()
  await until('it is well when it is back', () => sees(true))
  proxy.silence()
  await until('nothing is heard', () => sees(false))
  await until('it is well with other connections', () => sees(true))
  t.ok(server.process.isAlive)
})
