import { pino } from 'pino'
import t, { type Test } from 'tap'
import { useOwnRedis } from '../../test/support/stores.ts'
import { unhurriedRedis } from '../../test/support/unhurried.ts'
import { until } from '../../test/support/until.ts'
import { asUnavailable } from './redis.ts'

const log = pino({ level: 'silent' })

/** A server of its own, a connection to it, and one that steers it. */
async function connected(t: Test) {
  const server = await useOwnRedis(t)
  const redis = unhurriedRedis({ url: server.url, name: 'test', log })
  const steering = unhurriedRedis({ url: server.url, name: 'steering', log })
  t.teardown(() => {
    redis.disconnect()
    steering.disconnect()
  })
  await Promise.all([redis.connect(), steering.connect()])
  return { server, redis, steering }
}

t.test('who was under way when the connection went hears that Redis is unavailable', async (t) => {
  const { server, redis, steering } = await connected(t)
  // They are sent together: the first is answered, the others are not.
  const calls = Promise.allSettled([redis.ping(), redis.blpop('nothing', 0), redis.ping()])
  await until('the second waits', async () => /^blocked_clients:1/m.test(await steering.info('clients')))
  await server.kill()
  const [first, ...others] = await calls
  t.match(first, { value: 'PONG' })
  for (const { reason } of others as PromiseRejectedResult[])
    t.match(asUnavailable(reason), { code: 'unavailable' }, String(reason))
})

t.test('a Redis that is kept busy is unavailable, not broken', async (t) => {
  const { redis, steering } = await connected(t)
  await steering.config('SET', 'busy-reply-threshold', 1)
  const endless = steering.eval('while true do end', 0).catch((error: Error) => error)
  await until('it is busy', async () => {
    const refused = await redis.get('x').catch((error: unknown) => error)
    return refused instanceof Error && refused.message.startsWith('BUSY ')
  })
  t.match(asUnavailable(await redis.get('x').catch((error: unknown) => error)), { code: 'unavailable' })
  await redis.script('KILL')
  t.match(await endless, /killed|timed out/i)
})
