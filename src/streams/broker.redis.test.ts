import { once } from 'node:events'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { useCuttableProxy } from '../../test/support/cuttable-proxy.ts'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { useOwnRedis } from '../../test/support/stores.ts'
import { unhurriedRedis, unhurriedSubscriber } from '../../test/support/unhurried.ts'
import { until } from '../../test/support/until.ts'
import { Broker } from './broker.ts'

const log = pino({ level: 'silent' })

async function parts(t: Test) {
  const server = await useOwnRedis(t)
  const redis = unhurriedRedis({ url: server.url, name: 'test', log })
  const proxy = await useCuttableProxy(t, server.url)
  /** By which the subscriber finds out that nothing comes. */
  const clock = new FakeClock()
  const subscriber = unhurriedSubscriber({ url: proxy.url, name: 'test', log, clock })
  t.teardown(() => {
    redis.disconnect()
    subscriber.disconnect()
  })
  await Promise.all([redis.connect(), subscriber.connect()])
  const broker = new Broker({ subscriber, log })
  /** How many connections listen to a channel at the server. */
  const listeners = async (channel: string) => Number((await redis.pubsub('NUMSUB', channel))[1])
  const isOpen = (channel: string, times = 1) =>
    until(`${channel} is open`, async () => (await listeners(channel)) === times)
  return { server, redis, proxy, clock, broker, listeners, isOpen }
}

t.test('many listeners of a channel share one subscription, and each hears each message', async (t) => {
  const { redis, broker, isOpen, listeners } = await parts(t)
  const heard: string[] = []
  const subscriptions = ['a', 'b', 'c'].map((name) =>
    broker.channel('news').subscribe((message) => heard.push(name + message)),
  )
  broker.channel('other').subscribe((message) => heard.push(`other ${message}`))
  await isOpen('news')
  await isOpen('other')
  const { cmdstat_subscribe: calls = '' } = Object.fromEntries(
    (await redis.info('commandstats')).split('\r\n').map((line) => line.split(':')),
  ) as Record<string, string>
  t.match(calls, /^calls=2,/, 'one SUBSCRIBE a channel')
  await redis.publish('news', '1')
  await redis.publish('other', '2')
  await until('all is heard', () => heard.length === 4)
  t.same(heard, ['a1', 'b1', 'c1', 'other 2'])
  subscriptions[0]?.unsubscribe()
  await redis.publish('news', '3')
  await until('the others still hear', () => heard.length === 6)
  t.same(heard.slice(4), ['b3', 'c3'])
  for (const subscription of subscriptions) subscription.unsubscribe()
  await until('nobody listens any more', async () => (await listeners('news')) === 0)
  t.equal(await listeners('other'), 1)
})

t.test('a channel that was left can be entered again', async (t) => {
  const { redis, broker, isOpen } = await parts(t)
  const heard: string[] = []
  for (let round = 0; round < 5; round++) broker.channel('news').subscribe().unsubscribe()
  broker.channel('news').subscribe((message) => heard.push(message))
  await isOpen('news')
  await redis.publish('news', 'now')
  await until('it is heard', () => heard.length > 0)
  t.same(heard, ['now'])
})

t.test('after a cut it says that messages were lost, and hears again', async (t) => {
  const { server, redis, broker, isOpen } = await parts(t)
  const heard: string[] = []
  let lost = 0
  broker.lost$.subscribe(() => lost++)
  broker.channel('news').subscribe((message) => heard.push(message))
  await isOpen('news')
  t.equal(lost, 0, 'the first connection has lost nothing')
  await redis.client('KILL', 'TYPE', 'pubsub')
  await until('it says so', () => lost === 1)
  await isOpen('news')
  await redis.publish('news', 'again')
  await until('it is heard', () => heard.length > 0)
  await server.kill()
  await server.restart()
  await until('it says so again', () => lost === 2)
  if (redis.status !== 'ready') await once(redis, 'ready')
  await isOpen('news')
  await redis.publish('news', 'after the restart')
  await until('it is heard', () => heard.length > 1)
  t.same(heard, ['again', 'after the restart'])
})

t.test(
  'a connection that is gone without a word is found out, and what it missed is known to be lost',
  async (t) => {
    const { redis, proxy, clock, broker, isOpen } = await parts(t)
    const heard: string[] = []
    let lost = 0
    broker.lost$.subscribe(() => lost++)
    broker.channel('news').subscribe((message) => heard.push(message))
    await isOpen('news')
    proxy.silence()
    await redis.publish('news', 'missed')
    // What it heard before counts at the first look.
    for (let look = 0; look < 4; look++) await clock.advance(1000)
    await until('it says so', () => lost === 1)
    // Redis still believes in the other one.
    await isOpen('news', 2)
    await redis.publish('news', 'again')
    await until('it is heard', () => heard.length > 0)
    t.same(heard, ['again'])
  },
)

t.test('what was asked for while Redis was away is heard when it is back', async (t) => {
  const { server, redis, broker, isOpen } = await parts(t)
  const heard: string[] = []
  await server.kill()
  broker.channel('news').subscribe((message) => heard.push(message))
  await server.restart()
  if (redis.status !== 'ready') await once(redis, 'ready')
  await isOpen('news')
  await redis.publish('news', 'hello')
  await until('it is heard', () => heard.length > 0)
  t.same(heard, ['hello'])
})
