import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { WebSocketServer, type WebSocket } from 'ws'

export interface FakeRequest {
  readonly method: string
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: unknown
}

/** `cut`: the connection ends without an answer. A function writes the response itself, as for a stream. */
export type FakeReply =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }
  | 'cut'
  | ((response: http.ServerResponse) => void)

/** A server that answers as a test says and remembers what it was asked. */
export class FakeOpenrun {
  readonly requests: FakeRequest[] = []
  readonly frames: Record<string, unknown>[] = []
  readonly sockets: WebSocket[] = []
  reply: (request: FakeRequest) => FakeReply = () => ({ status: 404, body: problem(404, 'no_such_route') })
  onFrame: (frame: Record<string, unknown>, socket: WebSocket) => void = () => undefined
  readonly #server: http.Server

  private constructor() {
    this.#server = http.createServer((request, response) => void this.#answer(request, response))
    const sockets = new WebSocketServer({ server: this.#server, path: '/ws' })
    sockets.on('connection', (socket, request) => {
      this.requests.push({ method: 'GET', path: '/ws', headers: request.headers, body: undefined })
      this.sockets.push(socket)
      socket.on('error', () => undefined)
      socket.on('message', (data: Buffer) => {
        const frame = JSON.parse(data.toString()) as Record<string, unknown>
        this.frames.push(frame)
        this.onFrame(frame, socket)
      })
    })
  }

  static async start(t: Test): Promise<FakeOpenrun> {
    const fake = new FakeOpenrun()
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => fake.stop())
    return fake
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.terminate()
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let text = ''
    for await (const piece of request) text += String(piece)
    const { method = '', url: path = '', headers } = request
    const seen = { method, path, headers, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
    this.requests.push(seen)
    const reply = this.reply(seen)
    if (reply === 'cut') return void request.socket.destroy()
    if (typeof reply === 'function') return reply(response)
    response.writeHead(reply.status, reply.headers)
    response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body))
  }
}

export function problem(status: number, code: string, more: Record<string, unknown> = {}) {
  return { type: `/docs/errors#${code}`, title: code, status, code, detail: code, retryable: false, ...more }
}
