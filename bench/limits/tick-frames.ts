import { setTimeout as wait } from 'node:timers/promises'
import type { WebSocket } from 'uWebSockets.js'
import { uws } from '../../src/server/uws.ts'
import { serveParent } from '../stage/helper-process.ts'
import type { TickFramesCalls } from './tick-frames-calls.ts'

/*
 * The plain way to tell a line where it stands: at each tick of the gate a frame to everybody. It knows each position
 * without asking anybody, and does nothing but write it down and send it.
 */

interface Waiting {
  /** From 1. */
  readonly place: number
}

const waiting = new Set<WebSocket<Waiting>>()
let channel = ''
let [places, letIn] = [0, 0]

serveParent<TickFramesCalls>({
  listen: async (asked) => {
    channel = asked.channel
    places = 0
    letIn = 0
    const app = uws.App().ws<Waiting>('/ws', {
      upgrade: (res, req, context) =>
        res.upgrade(
          { place: ++places },
          req.getHeader('sec-websocket-key'),
          req.getHeader('sec-websocket-protocol'),
          req.getHeader('sec-websocket-extensions'),
          context,
        ),
      open: (socket) => {
        waiting.add(socket)
        tell(socket)
      },
      close: (socket) => void waiting.delete(socket),
    })
    return await new Promise((resolve, reject) => {
      app.listen('127.0.0.1', 0, (socket) => {
        if (socket) resolve({ port: uws.us_socket_local_port(socket) })
        else reject(new Error('no port was found'))
      })
    })
  },
  tick: async ({ ticks, everyMs }) => {
    const startMs = performance.now()
    for (let tick = 0; tick < ticks; tick++) {
      await wait(Math.max(0, startMs + tick * everyMs - performance.now()))
      letIn += 2
      for (const socket of waiting) tell(socket)
    }
    return { frames: ticks * waiting.size }
  },
})

function tell(socket: WebSocket<Waiting>): void {
  const ahead = Math.max(0, socket.getUserData().place - 1 - letIn)
  const data = {
    position: ahead + 1,
    ahead,
    behind: Math.max(0, waiting.size - ahead - 1),
    etaSeconds: Math.ceil((ahead + 1) / 20),
    ratePerMinute: 1200,
    pacePerMinute: 1200,
    left: 2_000_000,
  }
  socket.send(JSON.stringify({ ch: channel, type: 'position', data }))
}
