import { WebSocket } from 'ws'
import { connect } from 'node:net'
import type { RoundSale } from './sales.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

const lookEveryMs = 500

/** Asks a port for the map of a sale, and never reads. Returns how to end it. */
type Stuck = (port: number, sale: string) => () => void

interface Reader {
  readonly sale: string
  readonly edge: Server
  readonly transport: Stuck
  /** Of the life of the edge that it has asked. */
  port: number
  end: () => void
}

/**
 * Those who ask for the map of a sale and never read what they are told, by half over each transport. They ask the edges
 * themselves: a link in between would read for them. Who does not read does not hear that its edge was killed, either, so
 * they are sent to the next life of it.
 */
export class StuckReaders {
  readonly #readers: readonly Reader[]
  readonly #looking: NodeJS.Timeout

  /** @param count as many as that, over all sales and edges */
  constructor(world: World, sales: readonly RoundSale[], count: number) {
    const places = sales.flatMap(({ id }) => world.edges.map((edge) => ({ sale: id, edge })))
    const transports = [stuckStream, stuckSocket]
    const ways = transports.flatMap((transport) => places.map((place) => ({ ...place, transport })))
    this.#readers = Array.from({ length: count }, (_, number) => ways[number % ways.length])
      .filter((way) => way !== undefined)
      .map((way) => ({ ...way, port: 0, end: () => undefined }))
    this.#look()
    this.#looking = setInterval(() => this.#look(), lookEveryMs)
  }

  stop(): void {
    clearInterval(this.#looking)
    for (const { end } of this.#readers) end()
  }

  #look(): void {
    for (const reader of this.#readers) {
      const { edge, sale, transport, port, end } = reader
      if (port === edge.ownPort) continue
      end()
      reader.port = edge.ownPort
      reader.end = transport(reader.port, sale)
    }
  }
}

const stuckStream: Stuck = (port, sale) => {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.pause()
  socket.write(
    `GET /api/v1/sales/${sale}/availability/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`,
  )
  return () => socket.destroy()
}

const stuckSocket: Stuck = (port, sale) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  socket.on('error', () => undefined)
  socket.on('open', () => {
    socket.send(JSON.stringify({ op: 'subscribe', ch: `units:${sale}`, ref: '1' }))
    socket.pause()
  })
  return () => socket.terminate()
}
