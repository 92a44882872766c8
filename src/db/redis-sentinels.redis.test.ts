import type { EventEmitter } from 'node:events'
import { pino } from 'pino'
import t from 'tap'
import { RedisSentinels } from '../../test/support/redis-sentinels.ts'
import { redisBinary } from '../../test/support/stores.ts'
import { until } from '../../test/support/until.ts'
import { systemClock } from '../clock.ts'
import { redisServers } from './redis-connecting.ts'

const servers = await RedisSentinels.start({ binary: await redisBinary() })
t.teardown(() => servers.end())
const master = servers.settings.OPENRUN_REDIS_SENTINEL_MASTER
const options = { isCluster: false, name: 'test', log: pino({ level: 'silent' }), clock: systemClock }
const of = (name: string, log = options.log) =>
  redisServers({
    ...options,
    log,
    redisUrl: servers.urls,
    sentinels: { master: name, password: undefined },
    random: Math.random,
  })

t.test(
  'a master that hangs is let go of when another takes its place, and not believed afterwards',
  async (t) => {
    const { redis, subscriber } = of(master)
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

/** What ioredis keeps of a connection through Sentinels, and does not show. */
interface Detecting {
  readonly connector: {
    readonly failoverDetector?: { readonly sentinels: readonly { readonly client: EventEmitter }[] }
  }
}

const detectorOf = (redis: unknown) => (redis as Detecting).connector.failoverDetector
/** A Sentinel tells of a fail-over of `master` to a port. */
const tell = (redis: unknown, master: string, port: number) =>
  detectorOf(redis)?.sentinels[0]?.client.emit(
    'message',
    '+switch-master',
    `${master} 127.0.0.1 1 127.0.0.1 ${port}`,
  )

t.test(
  'a fail-over that is told of while the master is looked for ends no connection for good',
  async (t) => {
    const { redis } = of(master)
    t.teardown(() => redis.disconnect())
    await redis.connect()
    const { commands } = redis.of('a')
    await until('the Sentinels are listened to', async () => detectorOf(commands) !== undefined)
    const told = new Promise((resolve) =>
      commands.once('connecting', () => resolve(tell(commands, master, 1))),
    )
    commands.stream.destroy()
    await told
    await until('the master is found', () => commands.status === 'ready')
  },
)

t.test(
  'a connection is let go of when its own master is replaced by another, and for nothing else',
  async (t) => {
    const { redis } = of(master)
    t.teardown(() => redis.disconnect())
    await redis.connect()
    const { commands } = redis.of('a')
    const cuts: string[] = []
    let why = ''
    commands.on('close', () => cuts.push(why))
    for (const told of [
      { why: 'the one we are at', master, port: servers.master.port },
      { why: 'another name', master: 'another', port: 1 },
      { why: 'another server', master, port: 1 },
    ]) {
      await until('the Sentinels are listened to', async () => detectorOf(commands) !== undefined)
      why = told.why
      tell(commands, told.master, told.port)
      if (why !== 'another server') await commands.ping()
    }
    await until('it was let go of', () => cuts.length > 0)
    t.same(cuts, ['another server'])
  },
)

t.test('a name that no Sentinel knows is refused at the start', async (t) => {
  const { redis } = of('another')
  await t.rejects(redis.connect(), { message: /sentinels/ })
})

t.test('a Sentinel that is down is heard of in the log alone', async (t) => {
  const logged: string[] = []
  const log = pino({ level: 'debug' }, { write: (line) => void logged.push(line) })
  const { redis } = of(master, log)
  t.teardown(() => redis.disconnect())
  await redis.connect()
  const written = t.capture(console, 'error')
  await servers.killSentinel()
  await until('it was tried again', () => logged.some((line) => line.includes('sentinel connection')))
  t.same(written(), [])
})
