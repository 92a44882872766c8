import { WebSocket } from 'ws'
import { connect } from 'node:net'
import type { RoundSale } from './sales.ts'
import type { World } from './world.ts'

/** Those who ask for the map of a sale and never read what they are told, by half over each transport. */
export class StuckReaders {
  readonly #ends: (() => void)[]

  /** @param count as many as that, over all sales and edges */
  constructor(world: World, sales: readonly RoundSale[], count: number) {
    const places = sales.flatMap(({ id }) => world.edges.map(({ front }) => ({ sale: id, port: front.port })))
    this.#ends = Array.from({ length: count }, (_, number) => {
      const { sale = '', port = 0 } = places[number % places.length] ?? {}
      return Math.floor(number / places.length) % 2 === 0 ? stuckStream(port, sale) : stuckSocket(port, sale)
    })
  }

  stop(): void {
    for (const end of this.#ends) end()
  }
}

function stuckStream(port: number, sale: string): () => void {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.pause()
  socket.write(
    `GET /api/v1/sales/${sale}/availability/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`,
  )
  return () => socket.destroy()
}

function stuckSocket(port: number, sale: string): () => void {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  socket.on('error', () => undefined)
  socket.on('open', () => {
    socket.send(JSON.stringify({ op: 'subscribe', ch: `units:${sale}`, ref: '1' }))
    socket.pause()
  })
  return () => socket.terminate()
}
