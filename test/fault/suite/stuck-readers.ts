import { connect, type Socket } from 'node:net'
import type { RoundSale } from './sales.ts'
import type { World } from './world.ts'

const perSale = 10

/** Those who ask for the map of a sale and never read what they are told. */
export class StuckReaders {
  readonly #sockets: Socket[]

  constructor(world: World, sales: readonly RoundSale[]) {
    this.#sockets = sales.flatMap(({ id }) =>
      world.edges.flatMap((edge) =>
        Array.from({ length: perSale }, () => {
          const socket = connect(edge.front.port, '127.0.0.1')
          socket.on('error', () => undefined)
          socket.pause()
          socket.write(
            `GET /api/v1/sales/${id}/availability/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`,
          )
          return socket
        }),
      ),
    )
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
