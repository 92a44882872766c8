import { setImmediate } from 'node:timers/promises'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { useCuttableProxy } from '../../test/support/cuttable-proxy.ts'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { usePostgres } from '../../test/support/stores.ts'
import { until } from '../../test/support/until.ts'
import { postgresSockets } from './postgres-socket.ts'

const { postgresUrl } = await usePostgres(t)

/** So long that PostgreSQL, whose time is the real one, ends no statement here. */
const statementMs = 60_000

/** A pool that gives up its connections by a clock which the test moves. */
const pool = (t: Test, url: string, connection = { statement_timeout: statementMs }) => {
  const clock = new FakeClock()
  const sql = postgres(url, { ...postgresSockets(url, clock), max: 3, connection })
  t.teardown(() => sql.end({ timeout: 0 }))
  /** Time goes on, until this has come to its end; ms. */
  const pass = async (asked: Promise<unknown>): Promise<number> => {
    const sinceMs = clock.nowMs()
    let isOver = false
    const over = () => (isOver = true)
    asked.then(over, over)
    while (!isOver) {
      await clock.advance(1_000)
      await setImmediate()
    }
    return clock.nowMs() - sinceMs
  }
  return { sql, clock, pass }
}

t.test(
  'a connection that says nothing for longer than statements may take is lost, and the idle ones with it',
  async (t) => {
    const way = await useCuttableProxy(t, postgresUrl)
    const { sql, pass } = pool(t, way.url)
    const one = () => sql`select 1 as one from pg_sleep(0.01)`
    await Promise.all([one(), one(), one()])
    way.silence()
    const unanswered = t.rejects(one(), { code: 'CONNECTION_CLOSED' })
    const tookMs = await pass(unanswered)
    await unanswered
    t.ok(tookMs > statementMs && tookMs < statementMs * 1.6, `after ${tookMs} ms`)
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
  const { sql, pass } = pool(t, way.url)
  await sql`select 1`
  way.silence()
  t.ok((await pass(sql.end())) > statementMs)
})

t.test('half an answer is no answer', async (t) => {
  const way = await useCuttableProxy(t, postgresUrl)
  const { sql, pass } = pool(t, way.url)
  await sql`select 1`
  const rows = sql`select repeat('x', 100), generate_series(1, 1000000)`
  let isHalf = false
  const whole = rows.forEach(() => {
    way.silence()
    isHalf = true
  })
  const unanswered = t.rejects(whole, { code: 'CONNECTION_CLOSED' })
  await until('a part has come', () => isHalf)
  await pass(unanswered)
  await unanswered
})

t.test('a connection that answers is kept, whatever another does', async (t) => {
  const way = await useCuttableProxy(t, postgresUrl)
  const { sql, clock } = pool(t, way.url)
  const pid = async () => (await sql<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid
  await pid()
  way.silence()
  const overdue = pid()
  const kept = await pid()
  let isOver = false
  const lost = t.rejects(overdue, { code: 'CONNECTION_CLOSED' }).then(() => (isOver = true))
  const pids = new Set([kept])
  while (!isOver) {
    await clock.advance(1_000)
    pids.add(await pid())
  }
  await lost
  t.same([...pids], [kept])
})

t.test('a statement that takes its time is waited for', async (t) => {
  const holder = postgres(postgresUrl, { max: 1 })
  t.teardown(() => holder.end())
  for (const statement_timeout of [statementMs, 0]) {
    const { sql, clock } = pool(t, postgresUrl, { statement_timeout })
    await sql`select 1`
    await holder`select pg_advisory_lock(1)`
    const locked = sql`select 1 as one from pg_advisory_lock(1)`.execute()
    await until('it waits', async () => {
      const [count] = await holder<{ n: number }[]>`
        select count(*)::int as n from pg_locks join pg_stat_activity using (pid)
        where datname = current_database() and locktype = 'advisory' and not granted`
      return count?.n === 1
    })
    // Where statements have no time-out they may take any time.
    await clock.advance(statement_timeout * 1.2 || 1e9)
    await holder`select pg_advisory_unlock(1)`
    t.same(await locked, [{ one: 1 }])
    await sql.end()
  }
})
