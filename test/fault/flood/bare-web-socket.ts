import { connect, type Socket } from 'node:net'
import type { FloodFrame } from './frame-maker.ts'

export interface WebSocketEars {
  /** From now on frames may be sent. */
  onOpen(): void
  onText(text: string): void
  /** Nothing more comes. `code`: of the closing frame; 0 where there was none. */
  onEnd(code: number): void
}

/** A WebSocket whose frames are written several at a time, as cheaply as bytes can be: masked with zeros. */
export class BareWebSocket {
  readonly #socket: Socket
  readonly #ears: WebSocketEars
  #received: Buffer = Buffer.alloc(0)
  #isOpen = false
  #closeCode = 0

  constructor(port: number, token: string, ears: WebSocketEars) {
    this.#ears = ears
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.write(handshake(token))
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
      this.#read()
    })
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => ears.onEnd(this.#closeCode))
  }

  send(frames: readonly FloodFrame[]): void {
    this.#socket.write(
      Buffer.concat(frames.flatMap(({ payload, isBinary }) => framed(isBinary ? 2 : 1, payload))),
    )
  }

  /** As WebSockets are to be closed; the server answers with a closing frame. */
  close(): void {
    this.#socket.write(Buffer.concat(framed(8, Buffer.from([0x03, 0xe8]))))
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #read(): void {
    if (!this.#isOpen) {
      const end = this.#received.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = this.#received.toString('latin1', 0, end)
      if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`not opened: ${head}`)
      this.#isOpen = true
      this.#received = this.#received.subarray(end + 4)
      this.#ears.onOpen()
    }
    for (let frame = unframed(this.#received); frame !== undefined; frame = unframed(this.#received)) {
      this.#received = this.#received.subarray(frame.end)
      if (frame.opcode === 1) this.#ears.onText(frame.payload.toString())
      if (frame.opcode === 9) this.#socket.write(Buffer.concat(framed(10, frame.payload)))
      if (frame.opcode === 8) {
        this.#closeCode = frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005
        this.#socket.end()
      }
    }
  }
}

function handshake(token: string): string {
  const lines = [
    'GET /ws HTTP/1.1',
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...(token === '' ? [] : [`Authorization: Bearer ${token}`]),
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

function framed(opcode: number, payload: Buffer): Buffer[] {
  const { length } = payload
  const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 255]
  if (length > 65_535) throw new RangeError('a longer frame than is ever made here')
  return [Buffer.from([0x80 | opcode, ...size, 0, 0, 0, 0]), payload]
}

/** The first frame of what was received; undefined while it is not whole. */
function unframed(
  bytes: Buffer,
): { readonly opcode: number; readonly payload: Buffer; readonly end: number } | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes.readUInt8(1) & 127
  const from = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < from) return undefined
  const long =
    short === 126 ? bytes.readUInt16BE(2) : Number(short === 127 ? bytes.readBigUInt64BE(2) : short)
  const end = from + long
  if (bytes.length < end) return undefined
  return { opcode: bytes.readUInt8(0) & 15, payload: bytes.subarray(from, end), end }
}
