import { pino } from 'pino'
import t from 'tap'
import { useCuttableProxy } from '../../test/support/cuttable-proxy.ts'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { useOwnRedis } from '../../test/support/stores.ts'
import { unhurriedRedis, unhurriedSubscriber } from '../../test/support/unhurried.ts'
import { until } from '../../test/support/until.ts'
import { connectRedisSubscriber } from './redis.ts'

const log = pino({ level: 'silent' })
const lookMs = 1000

t.test('a burst of messages that keeps the answer waiting is no silence', async (t) => {
  const server = await useOwnRedis(t)
  const proxy = await useCuttableProxy(t, server.url)
  const clock = new FakeClock()
  const redis = unhurriedRedis({ url: server.url, name: 'test', log })
  const subscriber = unhurriedSubscriber({ url: proxy.url, name: 'test', log, clock })
  t.teardown(() => {
    redis.disconnect()
    subscriber.disconnect()
  })
  await Promise.all([redis.connect(), subscriber.connect()])
  let cuts = 0
  subscriber.on('close', () => cuts++)
  const heard: string[] = []
  subscriber.on('message', (_channel, message) => heard.push(message))
  await subscriber.subscribe('news')
  // Whatever it asks is not answered from now on.
  proxy.silence('there')
  for (let turn = 1; turn <= 10; turn++) {
    await redis.publish('news', 'hello')
    await until('it is heard', () => heard.length === turn)
    await clock.advance(lookMs)
  }
  t.equal(cuts, 0)
  for (let look = 0; look < 3; look++) await clock.advance(lookMs)
  await until('it is cut when the burst is over', () => cuts === 1)
  await until('it is there again', () => subscriber.status === 'ready')
})

t.test('a server that hangs before it says that it is ready is let go of', async (t) => {
  const [hanging, server] = [await useOwnRedis(t), await useOwnRedis(t)]
  const proxy = await useCuttableProxy(t, hanging.url)
  hanging.signal('SIGSTOP')
  const subscriber = connectRedisSubscriber({ url: proxy.url, name: 'test', log })
  t.teardown(() => subscriber.disconnect())
  const first = subscriber.connect()
  await until('it is connected', () => subscriber.status === 'connect')
  proxy.open(server.url)
  await t.rejects(first, { message: /closed/ })
  await until('another attempt succeeds', () => subscriber.status === 'ready')
})
