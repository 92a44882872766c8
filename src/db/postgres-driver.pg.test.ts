import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { useCuttableProxy } from '../../test/support/cuttable-proxy.ts'
import { usePostgres } from '../../test/support/stores.ts'
import { until } from '../../test/support/until.ts'
import { migrate } from './migrate.ts'
import { connectPostgres } from './postgres.ts'
import { postgresSockets } from './postgres-socket.ts'
import { transaction } from './transaction.ts'

const { postgresUrl } = await usePostgres(t)
const other = connectPostgres({ url: postgresUrl, connections: 1, name: 'other' })
t.teardown(() => other.end())
await other`create table notes (text text primary key)`

/** A pool of one, and its connection. */
async function lone(t: Test) {
  let socket: Duplex | undefined
  const sockets = postgresSockets(postgresUrl)
  const watched: typeof sockets = { ...sockets, socket: (options) => (socket = sockets.socket(options)) }
  const sql = postgres(postgresUrl, { ...watched, max: 1, connect_timeout: 5 })
  t.teardown(() => sql.end({ timeout: 0 }))
  await sql`select 1`
  const connection = () => {
    if (socket === undefined) throw new Error('no connection')
    return socket
  }
  return { sql, connection }
}

/** Resolves when the pool has been told so, too. */
const closing = (socket: Duplex) => new Promise<void>((resolve) => socket.once('close', () => resolve()))

t.test(
  'a transaction begins where many statements wait before it, and keeps nobody else in it',
  async (t) => {
    for (const connections of [1, 2])
      for (let waiting = 95; waiting <= 145; waiting++) {
        const sql = connectPostgres({ url: postgresUrl, connections, name: 'busy' })
        await Promise.all(Array.from({ length: connections }, () => sql`select from pg_sleep(0.01)`))
        const statements = Array.from({ length: waiting }, () => sql`select 1`.execute())
        const work = transaction(sql, async (tx) => await tx`insert into notes (text) values ('in it')`)
        const after = ['after it', 'later'].map((text) =>
          sql`insert into notes (text) values (${text})`.execute(),
        )
        const outcomes = await Promise.allSettled([...statements, work, ...after])
        const failed = outcomes.filter(({ status }) => status === 'rejected')
        t.same(failed, [], `${waiting} before it, ${connections} connections`)
        const notes = await other<{ text: string }[]>`delete from notes returning text`
        t.same(
          notes.map(({ text }) => text).toSorted(),
          ['after it', 'in it', 'later'],
          'what was said to be done is',
        )
        await sql.end({ timeout: 0 })
      }
  },
)

t.test('a driver that lacks the patch is refused, also by the migration', async (t) => {
  const { patch } = postgres as unknown as { patch: number }
  t.teardown(() => Object.assign(postgres, { patch }))
  for (const older of [undefined, patch - 1]) {
    Object.assign(postgres, { patch: older })
    const refusal = { name: 'StartError', message: /lacks its patch; run / }
    t.throws(() => connectPostgres({ url: postgresUrl, connections: 1, name: 'unpatched' }), refusal)
    await t.rejects(migrate({ url: postgresUrl }), refusal)
  }
})

t.test('a statement that was about to be sent when its connection closed spoils nothing', async (t) => {
  const { sql, connection } = await lone(t)
  const socket = connection()
  const closed = closing(socket)
  // It is told to be lost, and closes in the second turn after that.
  const told = new Promise<void>((resolve) => socket.prependOnceListener('error', () => resolve()))
  socket.destroy()
  await told
  await setImmediate()
  const unsent = t.rejects(sql`select 1`, { code: 'CONNECTION_CLOSED' })
  await closed
  await unsent
  t.same(await sql`select 1 as one`, [{ one: 1 }])
})

t.test('rows of an answer that was cut off are not counted with the next one', async (t) => {
  const { sql, connection } = await lone(t)
  const rows = sql`select generate_series(1, 1000000)`
  const cut = t.rejects(rows, { code: 'CONNECTION_CLOSED' })
  const socket = connection()
  const closed = closing(socket)
  socket.once('data', () => void setImmediate().then(() => socket.destroy()))
  await Promise.all([cut, closed])
  const next = await sql`select 1 as one`
  t.equal(next.length, 1)
  t.same(next[0], { one: 1 })
})

t.test('why a statement was cut off is not said of the next one', async (t) => {
  const { sql, connection } = await lone(t)
  const [{ pid } = { pid: 0 }] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
  const cut = t.rejects(sql`select pg_sleep(60)`)
  const closed = closing(connection())
  await until('it works', async () => {
    const [its] = await other`select from pg_stat_activity where pid = ${pid} and wait_event = 'PgSleep'`
    return its !== undefined
  })
  await other`select pg_terminate_backend(${pid})`
  await Promise.all([cut, closed])
  t.same(await sql`select 1 as one`, [{ one: 1 }])
})

t.test('rows of an answer that failed half-way are not counted with the next one', async (t) => {
  const { sql } = await lone(t)
  await t.rejects(sql`select 1 / (2000 - i) from generate_series(1, 3000) i`, { code: '22012' })
  const next = await sql`select 1 as one`
  t.equal(next.length, 1)
  t.same(next[0], { one: 1 })
})

t.test('what cannot be sent fails alone, whoever is asking beside it', async (t) => {
  const { sql } = await lone(t)
  const before = sql`select 2 as n from pg_sleep(0.05)`.execute()
  const never = sql`select ${undefined as never}`.execute()
  const after = [sql`select 3 as n`.execute(), sql`select 4 as n`.execute()]
  await t.rejects(never, { code: 'UNDEFINED_VALUE' })
  t.same(await Promise.all([before, ...after]), [[{ n: 2 }], [{ n: 3 }], [{ n: 4 }]])
})

t.test('a transaction keeps its connection when what it wrote is sent later than answered', async (t) => {
  const { sql, connection } = await lone(t)
  let stranger: Promise<unknown> | undefined
  const failed = sql.begin(async (tx) => {
    await tx`insert into notes (text) values ('rolled back')`
    connection().emit('drain')
    stranger = sql`insert into notes (text) values ('of a stranger')`.execute()
    // Long enough for it to be done, where it is let in.
    for (let turn = 0; turn < 5; turn++) await other`select 1`
    throw new Error('no')
  })
  await t.rejects(failed, { message: 'no' })
  await stranger
  t.same(await other`delete from notes returning text`, [{ text: 'of a stranger' }])
})

t.test('a statement that is prepared anew is sent as it was', async (t) => {
  const { sql } = await lone(t)
  await other`create table flags (is_on boolean, n int)`
  await other`insert into flags values (true, 1)`
  const ask = () => sql`select n from flags where is_on = ${true}`
  t.same(await ask(), [{ n: 1 }])
  await other`alter table flags alter column n type smallint`
  t.same(await ask(), [{ n: 1 }])
})

t.test('a first statement is told that its connection was lost, where there are several hosts', async (t) => {
  const way = await useCuttableProxy(t, postgresUrl)
  const url = twice(way.url)
  const sql = postgres(url, { ...postgresSockets(url), max: 1, connection: { application_name: 'first' } })
  t.teardown(() => sql.end({ timeout: 0 }))
  const lost = t.rejects(sql`select pg_sleep(60)`)
  let pid: number | undefined
  await until('it works', async () => {
    const [its] = await other<{ pid: number }[]>`
      select pid from pg_stat_activity where application_name = 'first' and wait_event = 'PgSleep'`
    return (pid = its?.pid) !== undefined
  })
  way.cut()
  await lost
  // PostgreSQL would go on.
  await other`select pg_terminate_backend(${pid ?? 0})`
})

t.test('where nobody listens all who ask are refused at once, with one host and with two', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const nowhere = `postgres://somebody@127.0.0.1:${port}/nothing`
  for (const url of [nowhere, twice(nowhere)]) {
    let attempts = 0
    const sockets = postgresSockets(url)
    const counted: typeof sockets = { ...sockets, socket: (options) => (attempts++, sockets.socket(options)) }
    const sql = postgres(url, { ...counted, max: 2 })
    t.teardown(() => sql.end({ timeout: 0 }))
    const asked = await Promise.allSettled(Array.from({ length: 60 }, () => sql`select 1`))
    t.ok(asked.every(({ status }) => status === 'rejected'))
    t.ok(attempts <= 4, `${attempts} attempts`)
  }
})

/** The same host, two times. */
function twice(url: string): string {
  const { host } = new URL(url)
  return url.replace(host, `${host},${host}`)
}
