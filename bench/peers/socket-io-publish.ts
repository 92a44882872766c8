import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { Server } from 'socket.io'
import { serveParent } from '../stage/helper-process.ts'
import type { BarePublishCalls } from '../limits/bare-publish-calls.ts'
import { monotonicMicros } from '../measure/monotonic-clock.ts'

/* Telling a crowd with Socket.IO, as its documentation says: an event to all who are connected. */

let welcome: unknown
const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })
io.on('connection', (socket) => {
  if (welcome !== undefined) socket.emit('m', welcome)
})

serveParent<BarePublishCalls>({
  listen: async () => {
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    return { port: (http.address() as AddressInfo).port }
  },
  tell: async ({ text }) => {
    welcome = JSON.parse(text) as unknown
    io.emit('m', welcome)
    return undefined
  },
  play: async ({ frames }) => {
    // It makes text of an event by itself.
    const events = frames.map(({ afterMicros, text }) => ({
      afterMicros,
      event: JSON.parse(text) as unknown,
    }))
    const startMicros = monotonicMicros()
    const atMicros: number[] = []
    for (const { afterMicros, event } of events) {
      const inMs = (startMicros + afterMicros - monotonicMicros()) / 1000
      if (inMs > 0) await wait(inMs)
      atMicros.push(monotonicMicros())
      io.emit('m', event)
    }
    return { atMicros }
  },
})
