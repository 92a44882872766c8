import { pino } from 'pino'
import t, { type Test } from 'tap'
import { useCuttableProxy } from '../../test/support/cuttable-proxy.ts'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { useOwnRedis } from '../../test/support/stores.ts'
import { unhurriedClock, unhurriedRedis } from '../../test/support/unhurried.ts'
import { until } from '../../test/support/until.ts'
import { systemClock, type Clock } from '../clock.ts'
import { OneRedis } from './one-redis.ts'
import type { Redis } from './redis.ts'

const log = pino({ level: 'silent' })
const lookMs = 1000

interface Clocks {
  /** By which it is asked whether the server is still who it was. */
  readonly life?: Clock
  /** By which a silent connection is cut. */
  readonly silence?: Clock
}

async function connected(
  t: Test,
  server: { readonly url: string },
  { life = unhurriedClock, silence = unhurriedClock }: Clocks = {},
): Promise<{ redis: Redis; one: OneRedis }> {
  const redis = unhurriedRedis({ url: server.url, name: 'test', log, clock: silence })
  t.teardown(() => redis.disconnect())
  const one = new OneRedis(redis, life)
  await one.connect()
  return { redis, one }
}

const replicaOf = (port: number) => ['REPLICAOF', '127.0.0.1', String(port)] as const

function refusalOf(one: OneRedis): Promise<string> {
  return one.mustBeReady().then(
    () => 'none',
    (error: unknown) => String(error),
  )
}

t.test(
  'a server that never was a replica is known by its run_id, and by another after a restart',
  async (t) => {
    const server = await useOwnRedis(t)
    const { redis, one } = await connected(t, server)
    const { runId } = one
    t.match(await redis.info('server'), new RegExp(`run_id:${runId}\r`))
    await server.kill()
    await until('nothing is known', () => !one.isKnown)
    t.throws(() => one.runId, { code: 'unavailable' })
    await server.restart()
    await until('it is known again', () => one.isKnown)
    t.not(one.runId, runId)
  },
)

t.test(
  'a server that becomes a replica is not believed, though nothing has cut the connection',
  async (t) => {
    const [server, other] = [await useOwnRedis(t), await useOwnRedis(t)]
    const clock = new FakeClock()
    const { redis, one } = await connected(t, server, { life: clock })
    await redis.call(...replicaOf(other.port))
    await clock.advance(lookMs)
    await until('it is found out', () => !one.isKnown)
  },
)

t.test('a server that hangs is not believed meanwhile, and is the same again when it goes on', async (t) => {
  const server = await useOwnRedis(t)
  const clock = new FakeClock()
  const { one } = await connected(t, server, { life: clock })
  const { runId } = one
  server.signal('SIGSTOP')
  await until('it is doubted', async () => {
    await clock.advance(lookMs)
    return !one.isKnown
  })
  server.signal('SIGCONT')
  await until('it is known again', () => one.isKnown)
  t.equal(one.runId, runId)
})

t.test('a server whose machine is gone without a word is found where a new connection leads', async (t) => {
  const [server, other] = [await useOwnRedis(t), await useOwnRedis(t)]
  const proxy = await useCuttableProxy(t, server.url)
  const clock = new FakeClock()
  const { one } = await connected(t, proxy, { life: clock, silence: clock })
  const { runId } = one
  proxy.silence()
  proxy.open(other.url)
  await clock.advance(2 * lookMs)
  t.notOk(one.isKnown, 'it is doubted')
  // What came before counts at the first look.
  await clock.advance(2 * lookMs)
  await until('the other is known', () => one.isKnown)
  t.not(one.runId, runId)
})

t.test('a replica that is gone is gone, and no replica any more', async (t) => {
  const [server, other] = [await useOwnRedis(t), await useOwnRedis(t)]
  const { redis, one } = await connected(t, server, { life: systemClock })
  await redis.call(...replicaOf(other.port))
  await until('it is told as a replica', async () => (await refusalOf(one)).includes('READONLY'))
  await server.kill()
  await until('it is told as gone', async () => !(await refusalOf(one)).includes('READONLY'))
  await server.restart()
  await until('it is a master again', async () => (await refusalOf(one)) === 'none')
})

t.test('who comes back from a replica to a server that hangs tells it as gone', async (t) => {
  const [server, other, hanging] = [await useOwnRedis(t), await useOwnRedis(t), await useOwnRedis(t)]
  const proxy = await useCuttableProxy(t, server.url)
  // What hangs is waited for, and no close tells that it hangs.
  const { redis, one } = await connected(t, proxy, { life: systemClock })
  await redis.call(...replicaOf(other.port))
  await until('it is told as a replica', async () => (await refusalOf(one)).includes('READONLY'))
  hanging.signal('SIGSTOP')
  proxy.open(hanging.url)
  await until('it is told as gone', async () => !(await refusalOf(one)).includes('READONLY'))
})

async function steered(t: Test, server: { readonly url: string }): Promise<Redis> {
  const steering = unhurriedRedis({ url: server.url, name: 'test', log })
  t.teardown(() => steering.disconnect())
  await steering.connect()
  return steering
}

/** Makes the server a replica of another, and a master again when it has what the other has. */
async function turnAround(steering: Redis, other: { readonly port: number }): Promise<void> {
  await steering.call(...replicaOf(other.port))
  await until('it has what the other has', async () =>
    /master_link_status:up/.test(await steering.info('replication')),
  )
  await steering.call('REPLICAOF', 'NO', 'ONE')
}

t.test('a master that was a replica meanwhile is known by another name, each time', async (t) => {
  const [server, other] = [await useOwnRedis(t), await useOwnRedis(t)]
  const steering = await steered(t, server)
  const names = [(await connected(t, server)).one.runId]
  for (let turn = 0; turn < 2; turn++) {
    await turnAround(steering, other)
    names.push((await connected(t, server)).one.runId)
  }
  for (const name of names) t.ok(name.startsWith(names[0] ?? ''), 'it is the same process')
  t.equal(new Set(names).size, names.length)
})

t.test(
  'a promoted server is told to remember it, and is believed also where it may not be told',
  async (t) => {
    const [server, other] = [await useOwnRedis(t), await useOwnRedis(t)]
    const steering = await steered(t, server)
    const ttl = async () => ((await steering.config('GET', 'repl-backlog-ttl')) as string[])[1]
    await turnAround(steering, other)
    await steering.call('ACL', 'SETUSER', 'default', '-config')
    const { redis, one } = await connected(t, server)
    await t.rejects(redis.config('GET', 'repl-backlog-ttl'), { message: /NOPERM/ })
    t.ok(one.isKnown)
    await steering.call('ACL', 'SETUSER', 'default', '+config')
    t.not(await ttl(), '0')
    await connected(t, server)
    await until('it is told', async () => (await ttl()) === '0')
  },
)

t.test('a connection to a replica is refused', async (t) => {
  const [server, other] = [await useOwnRedis(t), await useOwnRedis(t)]
  const { redis } = await connected(t, server)
  await redis.call(...replicaOf(other.port))
  await t.rejects(connected(t, server), { message: /no master/ })
})

t.test('what waited for a server that is gone is never sent to the next one', async (t) => {
  const server = await useOwnRedis(t)
  const { redis, one } = await connected(t, server)
  server.signal('SIGSTOP')
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const sent = redis.set('sent', 1).catch((error: unknown) => error)
  await turn()
  await turn()
  // Behind a pipeline that is under way.
  const waits = redis.set('waits', 1).catch((error: unknown) => error)
  await server.kill()
  await server.restart()
  await until('it is known again', () => one.isKnown)
  for (const outcome of [await sent, await waits]) t.ok(outcome instanceof Error)
  t.equal(await redis.exists('sent', 'waits'), 0)
})
