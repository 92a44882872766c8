import { connect, type Socket } from 'node:net'

export interface LiveTarget {
  readonly port: number
  readonly path: string
  readonly accessToken?: string | undefined
  /** Which of the crowd this is; decides the address it comes from. */
  readonly index: number
}

export interface LiveListener {
  /** @param bytes one event as it came; another one's at the next call, so nobody may keep them */
  onEvent(bytes: Buffer): void
  /** The connection is over and nobody here ended it. */
  onEnd(reason: string): void
}

/** What the server says, once it is read. */
export interface LiveEvent {
  readonly type: string
  readonly id: string
  readonly data: unknown
}

/** All connections of a crowd are read into the same memory, one after the other. */
const shared = Buffer.allocUnsafeSlow(64 * 1024)
/** Larger than anything our servers send at once. */
const unfinishedBytesMax = 1024 * 1024
/** One pair of addresses has some 28,000 ports; those of connections just closed rest for a minute. */
const addresses = 8
const blankLine = Buffer.from('\r\n\r\n')

/**
 * One live connection over a bare socket: it understands what our servers send and nothing more, so that ten thousand of
 * them fit into a process that is not what is measured. States: the head is awaited, open, over.
 */
export abstract class LiveClient {
  protected readonly listener: LiveListener
  readonly #socket: Socket
  #unfinished: Buffer | undefined
  #isOpen = false
  #isOver = false

  /** @param status what the server answers when it opens the connection */
  constructor(target: LiveTarget, listener: LiveListener, status: number) {
    this.listener = listener
    this.#socket = connect({
      port: target.port,
      host: '127.0.0.1',
      localAddress: `127.0.0.${1 + (target.index % addresses)}`,
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length) => {
          this.#take(shared.subarray(0, length), status)
          return true
        },
      },
    })
    this.#socket.on('connect', () => this.#socket.write(requestOf(target, this.headers())))
    this.#socket.on('error', (error) => this.#end(error.message))
    this.#socket.on('close', () => this.#end('the server closed the connection'))
  }

  abstract decode(bytes: Buffer): LiveEvent
  protected abstract headers(): Readonly<Record<string, string>>
  /** The server has opened the connection. */
  protected abstract opened(): void
  /** Returns how many bytes of what came made up whole pieces; the others come again with more behind them. */
  protected abstract consume(bytes: Buffer): number

  close(): void {
    this.#isOver = true
    this.#socket.destroy()
  }

  /** The connection is cut: the server is told so by a reset, as by a network that has forgotten it, and not by its end. */
  cut(): void {
    this.#socket.resetAndDestroy()
    // At once: left to itself it would end politely first.
    this.#socket.destroy()
    this.#end('cut')
  }

  protected write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  protected fail(reason: string): void {
    this.#end(reason)
    this.#socket.destroy()
  }

  #take(chunk: Buffer, status: number): void {
    if (this.#isOver) return
    let bytes = this.#unfinished === undefined ? chunk : Buffer.concat([this.#unfinished, chunk])
    this.#unfinished = undefined
    if (!this.#isOpen) {
      const headEnd = bytes.indexOf(blankLine)
      if (headEnd < 0) return this.#keep(bytes)
      // `HTTP/1.1 200 OK`
      if (Number(bytes.toString('latin1', 9, 12)) !== status) return this.fail(bytes.toString('utf8'))
      this.#isOpen = true
      this.opened()
      bytes = bytes.subarray(headEnd + blankLine.length)
    }
    this.#keep(bytes.subarray(this.consume(bytes)))
  }

  #keep(bytes: Buffer): void {
    if (bytes.length > unfinishedBytesMax) return this.fail('the server sends something that does not end')
    // A copy: the memory is read into again.
    if (bytes.length > 0) this.#unfinished = Buffer.from(bytes)
  }

  #end(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.listener.onEnd(reason)
  }
}

function requestOf({ path, accessToken }: LiveTarget, headers: Readonly<Record<string, string>>): string {
  const all = {
    Host: '127.0.0.1',
    ...(accessToken === undefined ? {} : { Authorization: `Bearer ${accessToken}` }),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}
