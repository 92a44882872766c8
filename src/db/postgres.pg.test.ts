import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import t from 'tap'
import { usePostgres } from '../../test/support/stores.ts'
import { until } from '../../test/support/until.ts'
import { inTime, systemClock } from '../clock.ts'
import { connectPostgres, isPostgresAway } from './postgres.ts'
import { transaction } from './transaction.ts'

const { postgresUrl } = await usePostgres(t)
const killer = connectPostgres({ url: postgresUrl, connections: 1, name: 'killer' })
t.teardown(() => killer.end())
await killer`create table notes (text text)`
t.afterEach(() => killer`truncate notes`)

const notes = async () =>
  (await killer<{ text: string }[]>`select text from notes order by text`).map((row) => row.text)

t.test('a transaction whose connection is killed fails, and the next one goes well', async (t) => {
  const sql = connectPostgres({ url: postgresUrl, connections: 1, name: 'victim' })
  t.teardown(() => sql.end())
  for (let round = 0; round < 5; round++) {
    const cut = transaction(sql, async (tx) => {
      const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`
      await tx`insert into notes (text) values ('cut')`
      await Promise.all([tx`select pg_sleep(30)`, killer`select pg_terminate_backend(${row?.pid ?? 0})`])
    })
    const error = await cut.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    t.ok(isPostgresAway(error), `it is away: ${String(error)}`)
    // The first query on the new connection may still be told how the old one ended.
    await until('it is there again', async () => (await sql`select 1`.catch(() => [])).length === 1)
    await transaction(sql, (tx) => tx`insert into notes (text) values (${`whole ${round}`})`)
  }
  t.same(
    await notes(),
    [0, 1, 2, 3, 4].map((round) => `whole ${round}`),
  )
})

t.test(
  'a transaction that was kept idle for too long is cut off, and that is no fault of what asked',
  async (t) => {
    const sql = connectPostgres({ url: postgresUrl, connections: 1, name: 'idle' })
    t.teardown(() => sql.end())
    const idle = transaction(sql, async (tx) => {
      await tx`set local idle_in_transaction_session_timeout = 20`
      await killer`select pg_sleep(0.2)`
      await tx`insert into notes (text) values ('late')`
    })
    const error = await idle.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    t.ok(isPostgresAway(error), String(error))
    t.same(await notes(), [])
  },
)

t.test('a crowd of transactions survives that every connection is cut, again and again', async (t) => {
  const wire = await proxyTo(postgresUrl)
  t.teardown(() => wire.end())
  const sql = connectPostgres({ url: wire.url, connections: 4, name: 'crowd' })
  t.teardown(() => sql.end({ timeout: 1 }))
  const done: string[] = []
  const write = async (text: string) => {
    for (;;) {
      try {
        await transaction(sql, async (tx) => {
          // A COMMIT may still be on its way when its connection is cut: whoever tries again waits for what comes of it.
          await tx`set local lock_timeout = 0`
          await tx`select pg_advisory_xact_lock(hashtext(${text}))`
          const there = await tx`select 1 from notes where text = ${text}`
          if (there.length === 0) await tx`insert into notes (text) values (${text})`
        })
        return done.push(text)
      } catch (error) {
        if (!isPostgresAway(error)) throw error
      }
    }
  }
  const names = Array.from({ length: 200 }, (_, index) => `note ${String(index).padStart(3, '0')}`)
  const writing = Promise.all(names.map(write))
  for (const [index, count] of [20, 60, 100, 140].entries()) {
    await until(`${count} are written`, () => done.length >= count)
    wire.cut(index % 2 === 0 ? 'reset' : 'close')
  }
  await writing
  t.same(await notes(), names, 'what was said to be done is there, once')
})

for (const query of ['', '?sslmode=prefer']) {
  t.test(
    `a server that cannot be reached is said to be away, and found when it is back${query}`,
    async (t) => {
      const wire = await proxyTo(postgresUrl)
      t.teardown(() => wire.end())
      const sql = connectPostgres({ url: wire.url + query, connections: 1, name: 'patient' })
      t.teardown(() => sql.end({ timeout: 1 }))
      await sql`select 1`
      await wire.close()
      for (let round = 0; round < 11; round++) {
        // Whoever asks is refused soon, however often it was tried before.
        const error = await inTime(systemClock, 10_000, sql`select 1`).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        t.ok(isPostgresAway(error), String(error))
      }
      await wire.open()
      await until('it is found', async () => (await sql`select 1`.catch(() => [])).length === 1)
      await transaction(sql, (tx) => tx`insert into notes (text) values ('found')`)
      t.same(await notes(), ['found'])
    },
  )

  t.test(`what refuses, hangs up or cannot be reached fails what is asked${query}`, async (t) => {
    let connections = 0
    const server = createServer((socket) => {
      connections++
      socket.on('error', () => {}).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const { port } = server.address() as AddressInfo
    for (const host of [`127.0.0.1:${port}`, '255.255.255.255:5432']) {
      const url = `postgres://somebody@${host}/nothing${query}`
      const sql = connectPostgres({ url, connections: 1, name: 'hopeful' })
      t.teardown(() => sql.end({ timeout: 0 }))
      for (let round = 0; round < 2; round++) {
        const error = await sql`select 1`.then(
          () => undefined,
          (reason: unknown) => reason,
        )
        t.ok(isPostgresAway(error), `${host}: ${String(error)}`)
      }
    }
    t.ok(connections <= 2, `${connections} connections for two questions`)
  })
}

t.test('a server that comes late is found by the first that asks then', async (t) => {
  const wire = await proxyTo(postgresUrl)
  t.teardown(() => wire.end())
  await wire.close()
  const sql = connectPostgres({ url: `${wire.url}?sslmode=prefer`, connections: 1, name: 'early' })
  t.teardown(() => sql.end({ timeout: 1 }))
  await t.rejects(sql`select 1`, { code: 'ECONNREFUSED' })
  await wire.open()
  t.same(await sql`select 1 as one`, [{ one: 1 }])
})

interface Wire {
  readonly url: string
  cut(how: 'close' | 'reset'): void
  close(): Promise<void>
  open(): Promise<void>
  end(): Promise<void>
}

/** A wire to the server that can be cut. */
async function proxyTo(url: string): Promise<Wire> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let port = 0
  const pass = (from: Socket): void => {
    const to = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  }
  const open = async (): Promise<void> => {
    server = createServer(pass).listen(port, '127.0.0.1')
    await once(server, 'listening')
    ;({ port } = server.address() as AddressInfo)
  }
  const cut = (how: 'close' | 'reset'): void => {
    for (const socket of sockets) {
      if (how === 'reset') socket.resetAndDestroy()
      else socket.destroy()
    }
  }
  const close = async (): Promise<void> => {
    const closed = server && once(server, 'close')
    server?.close()
    server = undefined
    cut('close')
    await closed
  }
  await open()
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(port)
  return { url: through.href, cut, close, open, end: close }
}

t.test(
  'connections for searches plan each statement for itself and read no table from end to end',
  async (t) => {
    const searching = connectPostgres({ url: postgresUrl, connections: 1, name: 'searching', searches: true })
    t.teardown(() => searching.end({ timeout: 1 }))
    const settings = await searching`
    select name, setting from pg_settings where name in ('enable_seqscan', 'plan_cache_mode') order by name`
    t.strictSame(
      [...settings],
      [
        { name: 'enable_seqscan', setting: 'off' },
        { name: 'plan_cache_mode', setting: 'force_custom_plan' },
      ],
    )
  },
)
