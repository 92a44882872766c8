import { pino } from 'pino'
import t from 'tap'
import { RedisSentinels } from '../../test/support/redis-sentinels.ts'
import { redisBinary } from '../../test/support/stores.ts'
import { until } from '../../test/support/until.ts'
import { systemClock } from '../clock.ts'
import { redisServers } from './redis-connecting.ts'

t.setTimeout(120_000)

const servers = await RedisSentinels.start({ binary: await redisBinary() })
t.teardown(() => servers.end())
const options = { isCluster: false, name: 'test', log: pino({ level: 'silent' }), clock: systemClock }
const of = (master: string, log = options.log) =>
  redisServers({
    ...options,
    log,
    redisUrl: servers.urls,
    sentinels: { master, password: undefined },
    random: Math.random,
  })

t.test(
  'a master that hangs is let go of when another takes its place, and not believed afterwards',
  async (t) => {
    const { redis, subscriber } = of(servers.settings.OPENRUN_REDIS_SENTINEL_MASTER)
    t.teardown(() => {
      redis.disconnect()
      subscriber.disconnect()
    })
    await redis.connect()
    await subscriber.connect()
    const heard: string[] = []
    subscriber.on('message', (_channel, message) => heard.push(message))
    subscriber.on('ready', () => void subscriber.subscribe('news'))
    const nameOf = async () => /^run_id:(\w+)/m.exec(await servers.master.commands.info('server'))?.[1] ?? ''
    const before = redis.of('a').runId
    t.equal(before, await nameOf())
    await servers.failOver('hanging')
    const name = await nameOf()
    const isFound = () => {
      try {
        return redis.of('a').runId.startsWith(name)
      } catch {
        return false
      }
    }
    await until('the other is found', isFound)
    t.not(redis.of('a').runId, before)
    servers.replica.signal('SIGCONT')
    await until('what the new master tells is heard', async () => {
      await redis.publish('news', 'hello')
      return heard.includes('hello')
    })
  },
)

t.test('a name that no Sentinel knows is refused at the start', async (t) => {
  const { redis } = of('another')
  await t.rejects(redis.connect(), { message: /sentinels/ })
})

t.test('a Sentinel that is down is heard of in the log alone', async (t) => {
  const logged: string[] = []
  const log = pino({ level: 'debug' }, { write: (line) => void logged.push(line) })
  const { redis } = of(servers.settings.OPENRUN_REDIS_SENTINEL_MASTER, log)
  t.teardown(() => redis.disconnect())
  await redis.connect()
  const written = t.capture(console, 'error')
  await servers.killSentinel()
  await until('it was tried again', () => logged.some((line) => line.includes('sentinel connection')))
  t.same(written(), [])
})
