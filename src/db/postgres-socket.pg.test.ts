import postgres from 'postgres'
import t, { type Test } from 'tap'
import { useCuttableProxy } from '../../test/support/cuttable-proxy.ts'
import { usePostgres } from '../../test/support/stores.ts'
import { until } from '../../test/support/until.ts'
import { postgresSockets } from './postgres-socket.ts'

const { postgresUrl } = await usePostgres(t)

const pool = (t: Test, url: string, connection: { statement_timeout?: number }) => {
  const sql = postgres(url, { ...postgresSockets(url), max: 3, connection })
  t.teardown(() => sql.end({ timeout: 0 }))
  return sql
}

t.test(
  'a connection that says nothing for longer than statements may take is lost, and the idle ones with it',
  async (t) => {
    const way = await useCuttableProxy(t, postgresUrl)
    const sql = pool(t, way.url, { statement_timeout: 600 })
    const one = () => sql`select 1 as one from pg_sleep(0.01)`
    await Promise.all([one(), one(), one()])
    way.silence()
    await t.rejects(one(), { code: 'CONNECTION_CLOSED' })
    let lost = 0
    const works = () =>
      one().then(
        () => true,
        () => !++lost,
      )
    await until('the next one works', works)
    // What was asked before it is closed altogether is lost with it.
    t.ok(lost <= 1, `${lost} more were lost`)
  },
)

t.test('a goodbye is waited for no longer than an answer', async (t) => {
  const way = await useCuttableProxy(t, postgresUrl)
  const sql = pool(t, way.url, { statement_timeout: 600 })
  await sql`select 1`
  way.silence()
  await sql.end()
})

t.test('half an answer is no answer', async (t) => {
  const way = await useCuttableProxy(t, postgresUrl)
  const sql = pool(t, way.url, { statement_timeout: 600 })
  await sql`select 1`
  const rows = sql`select repeat('x', 100) from generate_series(1, 1000000)`
  await t.rejects(
    rows.forEach(() => way.silence()),
    { code: 'CONNECTION_CLOSED' },
  )
})

t.test('a connection that answers is kept, whatever another does', async (t) => {
  const way = await useCuttableProxy(t, postgresUrl)
  const sql = pool(t, way.url, { statement_timeout: 600 })
  const pid = async () => (await sql<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid
  await pid()
  way.silence()
  const overdue = pid()
  const kept = await pid()
  let isOver = false
  const lost = t.rejects(overdue, { code: 'CONNECTION_CLOSED' }).then(() => (isOver = true))
  const pids = new Set([kept])
  while (!isOver) pids.add(await pid())
  await lost
  t.same([...pids], [kept])
})

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
