import { connect, type Socket } from 'node:net'

/** An answer as it came. */
export interface Heard {
  /** 0 where the connection ended without an answer. */
  readonly status: number
  readonly head: string
  readonly body: Buffer
}

export interface Sending {
  readonly bytes: Buffer
  /** HEAD: the length that is told is not sent. */
  readonly isBodiless: boolean
}

const none = Buffer.alloc(0)
const headEnd = Buffer.from('\r\n\r\n')

/** A connection that is opened anew where the server has closed it. One request is under way at a time. */
export class KeptConnection {
  readonly #port: number
  #socket: Socket | undefined
  #received: Buffer = none
  #isBodiless = false
  #heard: ((heard: Heard) => void) | undefined

  constructor(port: number) {
    this.#port = port
  }

  async send(sending: Sending): Promise<Heard> {
    const heard = await this.#try(sending)
    // It may have been closed behind the answer before.
    return heard.status === 0 ? await this.#try(sending) : heard
  }

  close(): void {
    this.#socket?.destroy()
  }

  #try({ bytes, isBodiless }: Sending): Promise<Heard> {
    return new Promise((resolve) => {
      this.#heard = resolve
      this.#received = none
      this.#isBodiless = isBodiless
      if (this.#socket === undefined || this.#socket.destroyed) this.#socket = this.#open()
      this.#socket.write(bytes)
    })
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
      this.#look(socket)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      socket.destroy()
      if (socket === this.#socket)
        this.#tell({ status: 0, head: this.#received.toString('latin1'), body: none })
    })
    return socket
  }

  #look(socket: Socket): void {
    const end = this.#received.indexOf(headEnd)
    if (end < 0) return
    const head = this.#received.toString('latin1', 0, end)
    const status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (status === 200 && length === undefined && !this.#isBodiless) {
      // An event stream has no end that could be waited for.
      socket.destroy()
      this.#tell({ status, head, body: this.#received.subarray(end + 4) })
      return
    }
    const from = end + 4
    const to = from + (this.#isBodiless ? 0 : Number(length ?? 0))
    if (this.#received.length > to) throw new Error(`more than the answer: ${this.#received.toString()}`)
    if (this.#received.length === to) this.#tell({ status, head, body: this.#received.subarray(from) })
  }

  #tell(heard: Heard): void {
    const tell = this.#heard
    this.#heard = undefined
    tell?.(heard)
  }
}
