import { pino } from 'pino'
import t from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { RedisCluster as TestCluster } from '../../test/support/redis-cluster.ts'
import { redisBinary } from '../../test/support/stores.ts'
import { until } from '../../test/support/until.ts'
import { systemClock } from '../clock.ts'
import { redisServers } from './redis-connecting.ts'
import type { RedisServer, RedisServers } from './redis-servers.ts'
import { slotOf } from './redis-slots.ts'
import { asUnavailable } from './redis.ts'

const servers = await TestCluster.start({ binary: await redisBinary(), replicas: true })
t.teardown(() => servers.end())
const options = { isCluster: true, name: 'test', log: pino({ level: 'silent' }), clock: systemClock }
const { redis, subscriber } = redisServers({ ...options, redisUrl: servers.urls, random: Math.random })
t.teardown(() => {
  redis.disconnect()
  subscriber.disconnect()
})
await redis.connect()
await subscriber.connect()

function serverOf(key: string, cluster: RedisServers = redis): RedisServer | undefined {
  try {
    const server = cluster.of(key)
    return server.runId === '' ? undefined : server
  } catch {
    return undefined
  }
}
const nameOf = async (key: string) =>
  /^run_id:(\w+)/m.exec(await (await servers.nodeOf(key)).commands.info('server'))?.[1] ?? ''
/** Resolves with the server that the client believes in once it has found the one that has the key. */
async function found(key: string, cluster?: RedisServers, clock?: FakeClock): Promise<RedisServer> {
  const name = await nameOf(key)
  await until('it is found', async () => {
    // No faster than time goes by.
    await clock?.advance(10)
    return serverOf(key, cluster)?.runId.startsWith(name) === true
  })
  return serverOf(key, cluster) as RedisServer
}

t.test('slots are those of the server', async (t) => {
  const { commands } = await servers.nodeOf('a')
  for (const key of ['a', '{sal_1}:state', 'x{y}z', '{}a', '{a', 'a}', '', '{{b}c}', '도시'])
    t.equal(slotOf(key), await commands.cluster('KEYSLOT', key), key)
})

t.test('each key is found at its node, under the name of that node', async (t) => {
  for (const key of ['a', 'b', 'c', 'd', 'e']) {
    const { commands, runId } = await found(key)
    t.equal(runId, await nameOf(key))
    t.equal(await commands.set(key, 'x'), 'OK')
  }
})

t.test('what is told at one node is heard wherever one listens', async () => {
  const heard: string[] = []
  subscriber.on('message', (_channel, message) => heard.push(message))
  subscriber.on('ready', () => void subscriber.subscribe('news'))
  await subscriber.subscribe('news')
  for (const key of ['a', 'b', 'c', 'd']) await (await found(key)).commands.publish('news', key)
  await until('all is heard', () => heard.length === 4)
  await redis.publish('news', 'e')
  await until('this, too', () => heard.at(-1) === 'e')
})

t.test('a command does not follow a slot to another node, and the next ones go there', async (t) => {
  // It looks where the slots are when the test says so.
  const clock = new FakeClock()
  const { redis } = redisServers({ ...options, clock, redisUrl: servers.urls, random: Math.random })
  t.teardown(() => redis.disconnect())
  await redis.connect()
  const before = await found('moves', redis)
  const oldName = before.runId
  await before.commands.set('moves', 'once')
  await servers.moveSlot('moves')
  await t.rejects(before.commands.set('moves', 'twice'), { message: /^MOVED / })
  t.match(asUnavailable(new Error('MOVED 1 a:1')), { code: 'unavailable' })
  t.throws(() => redis.of('moves'), { code: 'unavailable' }, 'the old node is not asked again')
  const after = await found('moves', redis, clock)
  t.not(after.runId, oldName)
  t.equal(await after.commands.get('moves'), 'once')
})

t.test('a replica that is promoted is believed under its own name only', async (t) => {
  const before = await found('b')
  const oldName = before.runId
  await servers.lag('b')
  await before.commands.set('b', 'acknowledged')
  await servers.failOver('b')
  const isOld = () => serverOf('b')?.runId === oldName
  t.notOk(isOld())
  const after = await found('b')
  t.match(after.runId, /^\w{40}\.\w{40}$/, 'it is named by its promotion, too')
  t.equal(await after.commands.get('b'), 'x', 'it has not heard what was acknowledged')
})
