import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Problem } from '../../errors.ts'
import { FencedError, saleFailure, saleFailures } from './sale-failures.ts'

const domain = fileURLToPath(new URL('..', import.meta.url))
/** Those of sales: rooms have no epoch in Redis, and nothing there that would be missed. */
const scripts = readdirSync(domain, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.lua') && !path.startsWith('chat'))
  .map((path) => ({ path, lua: readFileSync(join(domain, path), 'utf8') }))

t.test('scripts and their callers mean the same by each failure number', (t) => {
  const guard = scripts.find(({ path }) => path.endsWith('guard.lua'))?.lua ?? ''
  const numbers = new Map<string, number>()
  for (const [, names = '', values = ''] of guard.matchAll(/^local ([A-Z_, ]+) = ([-\d, ]+)$/gm)) {
    const list = values.split(',').map(Number)
    names.split(',').forEach((name, index) => numbers.set(name.trim(), list[index] ?? 0))
  }
  const known: Record<string, number> = {
    FORGOTTEN: saleFailures.forgotten,
    OTHER_EPOCH: saleFailures.otherEpoch,
    FENCED: saleFailures.fenced,
    CLOSED: saleFailures.closed,
    NOT_IN_LINE: saleFailures.notInLine,
    NO_ADMISSION: saleFailures.noAdmission,
    TAKEN: saleFailures.taken,
    LIMIT: saleFailures.limit,
    NO_HOLD: saleFailures.noHold,
    GRANTING: saleFailures.granting,
    OPENED_LATER: saleFailures.opensLater,
    LEFT_ALONE: saleFailures.leftAlone,
    EXTENDED: saleFailures.extended,
  }
  t.same(Object.fromEntries(numbers), known)
  t.equal(new Set(Object.values(saleFailures)).size, Object.keys(known).length, 'each means one thing')
  t.end()
})

t.test('each failure is an error of its own kind', (t) => {
  for (const failure of Object.values(saleFailures)) {
    const error = saleFailure(failure)
    if (failure === saleFailures.fenced) t.type(error, FencedError)
    else t.type(error, Problem, String(failure))
  }
  t.match(saleFailure(-99), { message: /unknown failure -99/ })
  t.match(saleFailure(saleFailures.forgotten), { code: 'restoring', options: { retryAfterSeconds: 1 } })
  t.end()
})

t.test('every script that serves people asks first whether the state is whole and of its epoch', (t) => {
  // These build the state, so they compare its parts themselves.
  const builders = ['state-begin.lua', 'state-write.lua', 'state-open.lua']
  const served = scripts.filter(
    ({ lua, path }) => lua.includes('-- KEYS') && !builders.includes(path.split('/').at(-1) ?? ''),
  )
  t.ok(served.length >= 12)
  for (const { path, lua } of served) {
    t.match(lua, /^-- @include (\.\.\/\.\.\/sale-state\/lua\/)?guard\.lua$/m, path)
    const code = lua.split('\n').filter((line) => !line.startsWith('--'))
    t.equal(code[0], 'local now, failure = guard()', `${path} begins with it`)
    t.equal(code[1], 'if not now then return failure end')
    t.match(lua, /^-- ARGV epoch run_id/m)
  }
  t.end()
})

t.test('every script has a header that says what it takes and gives', (t) => {
  for (const { path, lua } of scripts) {
    if (!lua.includes('redis.call')) continue
    t.match(lua, /^-- \S/, `${path} says what it is for`)
    if (!lua.includes('-- KEYS')) continue
    t.match(lua, /^-- .*returns /m, `${path} says what it returns`)
    t.notMatch(lua, /redis\.call\('KEYS'|redis\.call\('SCAN'/, `${path} searches nothing`)
  }
  t.end()
})
