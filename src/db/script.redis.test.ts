import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { useOwnRedis } from '../../test/support/stores.ts'
import { unhurriedClock, unhurriedRedis } from '../../test/support/unhurried.ts'
import { OneRedis } from './one-redis.ts'
import { loadScript, runScript } from './script.ts'

const log = pino({ level: 'silent' })
const lua = `-- Adds.
-- KEYS count other
-- ARGV by
-- returns the sum
-- @include sum.lua
return sum(redis.call('INCRBY', count_key, by), tonumber(redis.call('GET', other_key) or '0'))
`
const folder = (t: Test, text = lua) => {
  const dir = t.testdir({ 'add.lua': text, 'sum.lua': 'local function sum(a, b) return a + b end' })
  return pathToFileURL(join(dir, 'here.ts')).href
}
const binding = { keys: ['count', 'other'], args: ['by'] } as const

t.test('a script is given its keys and arguments by their names', async (t) => {
  const server = await useOwnRedis(t)
  const redis = unhurriedRedis({ url: server.url, name: 'test', log })
  t.teardown(() => redis.disconnect())
  const one = new OneRedis(redis, unhurriedClock)
  await one.connect()
  const add = loadScript(folder(t), 'add.lua', binding)
  const call = { keys: { other: 'b', count: 'a' }, args: { by: 5 } }
  t.equal(await runScript(one, add, call), 5)
  await redis.set('b', 100)
  t.equal(await runScript(one, add, call), 110)
  await redis.script('FLUSH')
  t.equal(
    await runScript(one, add, call),
    115,
    'a server that has forgotten it learns it again, and runs it once',
  )
  await redis.flushall()
  t.equal(await runScript(one, add, call), 5)
})

t.test('a script that fails says why; one that does not reach the server is unavailable', async (t) => {
  const server = await useOwnRedis(t)
  const redis = unhurriedRedis({ url: server.url, name: 'test', log })
  t.teardown(() => redis.disconnect())
  const one = new OneRedis(redis, unhurriedClock)
  await one.connect()
  const add = loadScript(folder(t), 'add.lua', binding)
  const call = { keys: { other: 'b', count: 'a' }, args: { by: 'five' } }
  await t.rejects(runScript(one, add, call), { message: /not an integer/ })
  await redis.config('SET', 'maxmemory', '1')
  await t.rejects(runScript(one, add, { ...call, args: { by: 5 } }), { code: 'unavailable' }, 'full')
  t.equal(await redis.get('a'), null, 'and nothing is written')
  await redis.config('SET', 'maxmemory', '0')
  await server.kill()
  await t.rejects(runScript(one, add, { ...call, args: { by: 5 } }), { code: 'unavailable' })
})

t.test('a header that names other keys or arguments than the binding is refused at start', (t) => {
  const from = folder(t)
  const load = (keys: readonly string[], args: readonly string[]) => () =>
    loadScript(from, 'add.lua', { keys, args })
  t.throws(load(['count'], ['by']), { message: /KEYS says \[count other\], its binding \[count\]/ })
  t.throws(load(['other', 'count'], ['by']), { message: /KEYS/ }, 'also in another order')
  t.throws(load(['count', 'other'], []), { message: /ARGV says \[by\], its binding \[\]/ })
  t.throws(load(['count', 'other'], ['by', 'more']), { message: /ARGV/ })
  t.doesNotThrow(load(['count', 'other'], ['by']))
  t.end()
})

t.test('a script without a header takes nothing', async (t) => {
  const from = folder(t, 'return 1')
  t.throws(() => loadScript(from, 'add.lua', binding), { message: /KEYS says \[\]/ })
  t.same(loadScript(from, 'add.lua', { keys: [], args: [] }).keys, [])
  t.throws(() => loadScript(from, 'none.lua', binding), { code: 'ENOENT' })
})

t.test('what a script includes is part of its name, so that no server runs an older one', async (t) => {
  const from = folder(t)
  const before = loadScript(from, 'add.lua', binding)
  await writeFile(new URL('sum.lua', from), 'local function sum(a, b) return a - b end')
  t.not(loadScript(from, 'add.lua', binding).sha, before.sha)
})
