import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'
import { serveParent } from '../stage/helper-process.ts'
import type { BarePublishCalls } from '../limits/bare-publish-calls.ts'
import { monotonicMicros } from '../measure/monotonic-clock.ts'

/* Telling a crowd with ws, as its documentation says: one after the other, whoever is open. */

let welcome = ''
let server: WebSocketServer | undefined

function tellAll(text: string): void {
  for (const client of server?.clients ?? []) if (client.readyState === WebSocket.OPEN) client.send(text)
}

serveParent<BarePublishCalls>({
  listen: async () => {
    server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    server.on('connection', (socket) => {
      socket.on('error', console.error)
      if (welcome !== '') socket.send(welcome)
    })
    await once(server, 'listening')
    return { port: (server.address() as AddressInfo).port }
  },
  tell: async ({ text }) => {
    welcome = text
    tellAll(text)
    return undefined
  },
  play: async ({ frames }) => {
    const startMicros = monotonicMicros()
    const atMicros: number[] = []
    for (const { afterMicros, text } of frames) {
      const inMs = (startMicros + afterMicros - monotonicMicros()) / 1000
      if (inMs > 0) await wait(inMs)
      atMicros.push(monotonicMicros())
      tellAll(text)
    }
    return { atMicros }
  },
})
