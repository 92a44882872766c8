import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { usePostgres } from '../../test/support/stores.ts'
import { until } from '../../test/support/until.ts'
import { socketOption } from './postgres.ts'

const { postgresUrl } = await usePostgres(t)

/** A way to PostgreSQL on which what is under way can be forgotten, as by a firewall; nobody is told. */
async function wayTo(t: Test, url: string) {
  const sockets: Socket[] = []
  const store = new URL(url)
  const server = createServer((client) => {
    const there = connect(Number(store.port), store.hostname)
    client.pipe(there).pipe(client)
    for (const socket of [client, there]) sockets.push(socket.on('error', () => undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const through = Object.assign(new URL(url), { port: String((server.address() as AddressInfo).port) })
  /** Of the connections there are; new ones work. */
  const forget = (): void => {
    for (const socket of sockets) socket.unpipe().pause()
  }
  return { url: through.href, forget }
}

const pool = (t: Test, url: string, connection: { statement_timeout?: number }) => {
  const sql = postgres(url, { ...socketOption, max: 1, connection })
  t.teardown(() => sql.end({ timeout: 0 }))
  return sql
}

t.test(
  'a connection that says nothing for longer than statements may take is lost, and the next one works',
  async (t) => {
    const way = await wayTo(t, postgresUrl)
    const sql = pool(t, way.url, { statement_timeout: 600 })
    t.same(await sql`select 1 as one`, [{ one: 1 }])
    way.forget()
    await t.rejects(sql`select 2 as two`, { code: 'CONNECTION_CLOSED' })
    // What was asked before it is closed altogether is lost with it.
    await until('the next one works', () =>
      sql`select 3`.then(
        () => true,
        () => false,
      ),
    )
  },
)

t.test('a statement that takes its time is waited for', async (t) => {
  const sql = pool(t, postgresUrl, { statement_timeout: 600 })
  await sql`select 1`
  await sql`select pg_sleep(0.5)`
  await t.rejects(sql`select pg_sleep(2)`, { code: '57014' }, 'it ends by its own time-out first')
  const patient = pool(t, postgresUrl, {})
  t.same(
    await patient`select 1 as one from pg_sleep(1)`,
    [{ one: 1 }],
    'where there is none it may take any time',
  )
})
