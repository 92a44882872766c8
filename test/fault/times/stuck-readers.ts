import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Connections of people who ask to be told of a map and never read a byte of it. */
export class StuckConnections {
  readonly #sockets: readonly Socket[]

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets
  }

  /** Half of them over WebSockets, or all over event streams. */
  static async open(options: {
    port: number
    sale: string
    count: number
    allStreams?: boolean
  }): Promise<StuckConnections> {
    const { port, sale, count, allStreams = false } = options
    const opened = Array.from({ length: count }, async (_, index) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      if (allStreams || index % 2 === 0) askForStream(socket, sale)
      else await askForSocket(socket, sale)
      socket.pause()
      return socket
    })
    return new StuckConnections(await Promise.all(opened))
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** How many event streams and WebSockets an edge has open. */
export async function liveConnections(edge: { readonly url: string }): Promise<number> {
  const figures = await (await fetch(`${edge.url}/metrics`)).text()
  const count = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(figures)?.[1])
  return count('openrun_event_streams') + count('openrun_websockets')
}

function askForStream(socket: Socket, sale: string): void {
  socket.write(
    `GET /api/v1/sales/${sale}/availability/stream HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`,
  )
}

async function askForSocket(socket: Socket, sale: string): Promise<void> {
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  // The answer to the upgrade is the last thing that is read.
  await once(socket, 'data')
  socket.write(maskedText(JSON.stringify({ op: 'subscribe', ch: `units:${sale}` })))
}

/** A frame as clients send it; a mask of noughts leaves the text as it is. */
function maskedText(text: string): Buffer {
  const payload = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}
