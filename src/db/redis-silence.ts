import type { Clock } from '../clock.ts'
import type { Redis } from './redis.ts'

const lookMs = 1000
/** In so many looks on end nothing had come. */
const silentLooksMax = 3

/**
 * A machine that loses its power, or a way that is broken, closes nothing: the connection looks well for hours, whoever
 * listens there hears nothing, and whoever asks is not answered. So the other end is asked each second, and a connection
 * in which nothing has come for three is cut; what follows is what follows any cut. Any byte is a sign of life, because an
 * answer may wait behind a burst of messages. Looks are counted and no time is measured: a process that stood still finds
 * at the look after next what had arrived meanwhile.
 */
export function cutWhenSilent(redis: Redis, clock: Clock): void {
  let closed = new AbortController()
  redis.on('connect', () => {
    closed = new AbortController()
    void watch(redis, clock, closed.signal)
  })
  redis.on('close', () => closed.abort())
}

async function watch(redis: Redis, clock: Clock, closed: AbortSignal): Promise<void> {
  const { stream } = redis
  for (let silentLooks = 0; silentLooks < silentLooksMax;) {
    const before = stream.bytesRead
    ask(redis)
    await clock.wait(lookMs, closed)
    if (closed.aborted) return
    silentLooks = stream.bytesRead === before ? silentLooks + 1 : 0
  }
  stream.destroy(new Error('nothing has come from Redis for too long'))
}

/** Whatever is answered, be it a refusal. Before a connection is ready INFO alone may be sent, and when it listens PING alone. */
function ask(redis: Redis): void {
  const answered = redis.status === 'ready' ? redis.ping() : redis.info('server')
  answered.catch(() => {})
}
