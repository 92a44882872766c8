import { setTimeout as wait } from 'node:timers/promises'
import { uws } from '../../src/server/uws.ts'
import { serveParent } from '../stage/helper-process.ts'
import { monotonicMicros } from '../measure/monotonic-clock.ts'
import type { BarePublishCalls } from './bare-publish-calls.ts'

/*
 * The least that telling a crowd can cost: the same web server publishes texts that are ready to all its WebSockets, by
 * its own means. It knows no map, reads no Redis, holds nobody to a budget, and closes nobody.
 */

const topic = 'all'
let welcome = ''

const app = uws.App().ws('/ws', {
  // Whoever does not read is not to be spared: nothing may be left out.
  maxBackpressure: 0,
  open: (socket) => {
    socket.subscribe(topic)
    if (welcome !== '') socket.send(welcome)
  },
})

serveParent<BarePublishCalls>({
  listen: () =>
    new Promise((resolve, reject) => {
      app.listen('127.0.0.1', 0, (socket) => {
        if (socket) resolve({ port: uws.us_socket_local_port(socket) })
        else reject(new Error('no port was found'))
      })
    }),
  tell: async ({ text }) => {
    welcome = text
    app.publish(topic, text)
    return undefined
  },
  play: async ({ frames }) => {
    const startMicros = monotonicMicros()
    const atMicros: number[] = []
    for (const { afterMicros, text } of frames) {
      const inMs = (startMicros + afterMicros - monotonicMicros()) / 1000
      if (inMs > 0) await wait(inMs)
      atMicros.push(monotonicMicros())
      app.publish(topic, text)
    }
    return { atMicros }
  },
})
