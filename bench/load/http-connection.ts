import { connect, type Socket } from 'node:net'

export interface HttpAnswer {
  readonly status: number
  /** Of the body. */
  readonly bytes: number
  body(): string
}

const blankLine = Buffer.from('\r\n\r\n')
const lengthHeader = /\r\ncontent-length: *(\d+)/i

/**
 * One kept connection that sends a request as it is given and waits for its answer: one at a time, no pipelining. It
 * understands what our servers send, answers with a Content-Length, and nothing more, so that it costs little.
 */
export class HttpConnection {
  readonly #socket: Socket
  #received: Buffer | undefined
  #resolve: ((answer: HttpAnswer) => void) | undefined
  #reject: ((error: Error) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', (error) => this.#reject?.(error))
    socket.on('close', () => this.#reject?.(new Error('the server closed the connection')))
  }

  static open(port: number): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => {
        socket.off('error', reject)
        resolve(new HttpConnection(socket))
      })
      socket.once('error', reject)
    })
  }

  /** @param request the whole of it, ASCII */
  send(request: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#socket.write(request, 'latin1')
    })
  }

  close(): void {
    this.#reject = undefined
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    const received = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk])
    const headEnd = received.indexOf(blankLine)
    const start = headEnd + blankLine.length
    const head = headEnd < 0 ? '' : received.toString('latin1', 0, headEnd)
    const length = Number(lengthHeader.exec(head)?.[1] ?? 0)
    if (headEnd < 0 || received.length < start + length) {
      this.#received = received
      return
    }
    this.#received = undefined
    const resolve = this.#resolve
    this.#resolve = undefined
    this.#reject = undefined
    // `HTTP/1.1 201 …`
    const status = Number(head.slice(9, 12))
    resolve?.({ status, bytes: length, body: () => received.toString('utf8', start, start + length) })
  }
}

/** A request as it goes over the wire. */
export function requestText(
  line: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
): string {
  const all = {
    Host: '127.0.0.1',
    ...headers,
    ...(body === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': String(body.length) }),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
}
