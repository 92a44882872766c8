import { LiveClient, type LiveEvent, type LiveListener, type LiveTarget } from './live-client.ts'

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const

/** A WebSocket that subscribes to one channel when it is open, or to none. */
export class SocketClient extends LiveClient {
  readonly #channel: string | undefined
  readonly #since: string | undefined

  /** @param target.since where to go on */
  constructor(
    target: Omit<LiveTarget, 'path'> & {
      readonly path?: string
      readonly channel?: string
      readonly since?: string | undefined
    },
    listener: LiveListener,
  ) {
    super({ path: '/ws', ...target }, listener, 101)
    this.#channel = target.channel
    this.#since = target.since
  }

  /** Asks for what follows a position, or for everything. */
  subscribe(since?: string): void {
    this.sendText(JSON.stringify({ op: 'subscribe', ch: this.#channel, since }))
  }

  /** Publishes to its channel; the reply comes as an event that carries `ref`. */
  publish(data: unknown, ref: number): void {
    this.sendText(JSON.stringify({ op: 'publish', ch: this.#channel, ref, data }))
  }

  decode(bytes: Buffer): LiveEvent {
    const { type = '', id = '', data } = JSON.parse(bytes.toString()) as Partial<LiveEvent>
    return { type, id, data }
  }

  protected headers(): Readonly<Record<string, string>> {
    return {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13',
      // Against caches that take the answer for another one's; here there is none.
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    }
  }

  protected opened(): void {
    if (this.#channel !== undefined) this.subscribe(this.#since)
  }

  /** One text came. */
  protected heard(payload: Buffer): void {
    this.listener.onEvent(payload)
  }

  protected sendText(text: string): void {
    this.#send(opcodes.text, Buffer.from(text))
  }

  protected consume(bytes: Buffer): number {
    let at = 0
    while (bytes.length - at >= 2) {
      const opcode = bytes.readUInt8(at) & 0x0f
      const short = bytes.readUInt8(at + 1) & 0x7f
      const start = at + (short === 126 ? 4 : short === 127 ? 10 : 2)
      if (bytes.length < start) break
      const length =
        short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? bytes.readUInt32BE(at + 6) : short
      if (bytes.length < start + length) break
      this.#heed(opcode, bytes.subarray(start, start + length))
      at = start + length
    }
    return at
  }

  #heed(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.text) this.heard(payload)
    else if (opcode === opcodes.ping) this.#send(opcodes.pong, payload)
    else if (opcode === opcodes.close)
      this.fail(`closed: ${payload.length >= 2 ? payload.readUInt16BE(0) : ''}`)
  }

  /** What a client sends is masked; a mask of zeros leaves it as it is. Nothing here is 64 kB long. */
  #send(opcode: number, payload: Buffer): void {
    const isShort = payload.length < 126
    const head = Buffer.alloc(isShort ? 6 : 8)
    head.writeUInt8(0x80 | opcode, 0)
    head.writeUInt8(0x80 | (isShort ? payload.length : 126), 1)
    if (!isShort) head.writeUInt16BE(payload.length, 2)
    this.write(Buffer.concat([head, payload]))
  }
}
