import { pino } from 'pino'
import t from 'tap'
import { useCuttableProxy } from '../../test/support/cuttable-proxy.ts'
import { useOwnRedis } from '../../test/support/stores.ts'
import { until } from '../../test/support/until.ts'
import { systemClock } from '../clock.ts'
import { RedisClusterSubscriber } from './redis-cluster-subscriber.ts'
import { connectRedis, connectRedisSubscriber, type Redis } from './redis.ts'

const log = pino({ level: 'silent' })

t.test('a node that is gone without a word is left for another one', async (t) => {
  const server = await useOwnRedis(t)
  const proxies = [await useCuttableProxy(t, server.url), await useCuttableProxy(t, server.url)]
  const begun: string[] = []
  const connectionTo = (address: string): Redis => {
    begun.push(address)
    return connectRedisSubscriber({ url: `redis://${address}`, name: 'test', log })
  }
  const addresses = proxies.map(({ url }) => new URL(url).host)
  const nodes = { addresses, onChange: () => {}, connectionTo }
  const subscriber = new RedisClusterSubscriber(nodes, { clock: systemClock, random: () => 0 })
  const redis = connectRedis({ url: server.url, name: 'test', log })
  t.teardown(() => {
    redis.disconnect()
    subscriber.disconnect()
  })
  await Promise.all([redis.connect(), subscriber.connect()])
  const heard: string[] = []
  subscriber.on('message', (_channel: string, message: string) => heard.push(message))
  subscriber.on('ready', () => void subscriber.subscribe('news'))
  await subscriber.subscribe('news')
  proxies[0]?.silence()
  await until('it hears again', async () => {
    // In vain where this connection, too, has just been found silent.
    await redis.publish('news', 'hello').catch(() => {})
    return heard.length > 0
  })
  // Where nothing comes for three seconds the other one is left as well.
  t.same(begun.slice(0, 2), addresses)
})
