import t, { type Test } from 'tap'
import { onFreePort } from '../../src/db/local/free-port.ts'
import { ServerProcess } from '../support/server-process.ts'
import { useStores } from '../support/stores.ts'

const stores = await useStores(t)
const env = { DATABASE_URL: stores.postgresUrl, REDIS_URL: stores.redisUrl }
/** Nothing listens on the first of all ports. */
const nowhere = '127.0.0.1:1'

async function fails(t: Test, more: Record<string, string>, line: RegExp): Promise<void> {
  const process = new ServerProcess(t, { ...env, ...more })
  const { code, stderr } = await process.ended
  t.equal(code, 1)
  t.match(stderr, line)
  t.equal(stderr.split('\n').length, 2, `one line: ${stderr}`)
  t.notMatch(stderr, /secret/, 'no password is shown')
}

t.test('a port that is taken is refused in one line, also to one that would share it', async (t) => {
  const first = new ServerProcess(t, env)
  const port = await first.listening()
  const line = new RegExp(`^Port ${port} is taken`)
  await fails(t, { PORT: String(port) }, line)
  await fails(t, { PORT: String(port), OPENRUN_SHARE_PORT: 'true' }, line)
  first.signal('SIGTERM')
  t.match(await first.ended, { code: 0 })
})

t.test('two that share a port both listen on it', async (t) => {
  const PORT = String(await onFreePort((port) => Promise.resolve(port)))
  const shared = { ...env, OPENRUN_SHARE_PORT: 'true', PORT }
  const processes = [new ServerProcess(t, shared), new ServerProcess(t, shared)]
  const ports = await Promise.all(processes.map((process) => process.listening()))
  t.same(ports.map(String), [PORT, PORT])
})

t.test('a PostgreSQL that is not there is named in one line', (t) =>
  fails(
    t,
    { DATABASE_URL: `postgres://somebody:secret@${nowhere}/openrun` },
    /^PostgreSQL at 127\.0\.0\.1:1 cannot be used/,
  ),
)

t.test('a database that is not there is named in one line', (t) => {
  const url = stores.postgresUrl.replace(/\/[^/]*$/, '/no_such_database')
  return fails(
    t,
    { DATABASE_URL: url },
    /^PostgreSQL at \S+ cannot be used: database "no_such_database" does not exist/,
  )
})

t.test('a Redis that is not there is named in one line', (t) =>
  fails(t, { REDIS_URL: `redis://:secret@${nowhere}` }, /^Redis at 127\.0\.0\.1:1 cannot be used/),
)

t.test('Sentinels and clusters that are not there are named in one line', async (t) => {
  const REDIS_URL = `redis://:secret@${nowhere},redis://localhost:1`
  const line = /^Redis at 127\.0\.0\.1:1, localhost:1 cannot be used/
  await fails(t, { REDIS_URL, OPENRUN_REDIS_SENTINEL_MASTER: 'main' }, line)
  await fails(t, { REDIS_URL, OPENRUN_REDIS_CLUSTER: 'true' }, line)
})

t.test('a setting that is wrong is named in one line', async (t) => {
  await fails(t, { PORT: 'http' }, /^PORT=http is wrong/)
  await fails(t, { DATABASE_URL: 'mysql://x:secret@y/z' }, /^DATABASE_URL is wrong/)
})
