import { get } from 'node:http'
import { WebSocket } from 'ws'
import { SseParser } from '../../src/client/sse-parser.ts'
import { unpackSeats } from '../../src/domain/units/seat-bits.ts'

interface Frame {
  readonly type: string
  readonly id?: string
  readonly data: {
    readonly prev?: number
    readonly seq?: number
    readonly seats?: string
    readonly pools?: Readonly<Record<string, number>>
    readonly changes?: readonly (readonly [number, number])[]
    readonly unit?: string
  }
}

/**
 * Somebody who watches a map by the rules of the protocol and nothing else: applies what follows, asks again with its
 * position when something does not, and comes back when it is cut off.
 */
export abstract class MapViewer {
  readonly #seatCount: number
  position = ''
  states: Uint8Array
  pools: Record<string, number> = {}
  readonly freed: string[] = []
  readonly types: string[] = []

  constructor(seatCount: number) {
    this.#seatCount = seatCount
    this.states = new Uint8Array(seatCount)
  }

  /** Cuts the connection; the viewer comes back with its position. */
  abstract cut(): void
  abstract stop(): void
  protected abstract askAgain(): void

  protected hear({ type, id = '', data }: Frame): void {
    this.types.push(type)
    if (type === 'free') return void this.freed.push(data.unit ?? '')
    if (type === 'snapshot') {
      this.states = unpackSeats(data.seats ?? '', this.#seatCount)
      this.pools = { ...data.pools }
    } else if (`${id.split(':')[0]}:${data.prev}` !== this.position) {
      return this.askAgain()
    } else {
      for (const [seat, state] of data.changes ?? []) this.states[seat] = state
      Object.assign(this.pools, data.pools)
    }
    this.position = id
  }
}

export class SocketViewer extends MapViewer {
  readonly #url: string
  readonly #ch: string
  #socket: WebSocket | undefined
  #isStopped = false

  constructor(url: string, options: { sale: string; seatCount: number }) {
    super(options.seatCount)
    this.#url = url.replace(/^http/, 'ws')
    this.#ch = `units:${options.sale}`
    this.#connect()
  }

  watch(...units: readonly string[]): void {
    this.#socket?.send(JSON.stringify({ op: 'publish', ch: this.#ch, data: { watch: units } }))
  }

  cut(): void {
    this.#socket?.terminate()
  }

  stop(): void {
    this.#isStopped = true
    this.cut()
  }

  protected askAgain(): void {
    this.#socket?.send(JSON.stringify({ op: 'subscribe', ch: this.#ch, since: this.position }))
  }

  #connect(): void {
    const socket = new WebSocket(`${this.#url}/ws`)
    this.#socket = socket
    const since = this.position === '' ? {} : { since: this.position }
    socket.on('open', () => socket.send(JSON.stringify({ op: 'subscribe', ch: this.#ch, ...since })))
    socket.on('message', (text: Buffer) => {
      const frame = JSON.parse(text.toString()) as Frame
      if (frame.type !== undefined) this.hear(frame)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => this.#isStopped || this.#connect())
  }
}

export class StreamViewer extends MapViewer {
  readonly #url: string
  #close = (): void => {}
  #isStopped = false

  constructor(url: string, options: { sale: string; seatCount: number; query?: string }) {
    super(options.seatCount)
    this.#url = `${url}/api/v1/sales/${options.sale}/availability/stream${options.query ?? ''}`
    this.#connect()
  }

  cut(): void {
    this.#close()
  }

  stop(): void {
    this.#isStopped = true
    this.cut()
  }

  protected askAgain(): void {
    this.cut()
  }

  #connect(): void {
    const headers = this.position === '' ? {} : { 'last-event-id': this.position }
    const request = get(this.#url, { headers, agent: false })
    let isOver = false
    const comeBack = (): void => {
      if (isOver || this.#isStopped) return
      isOver = true
      setImmediate(() => this.#connect())
    }
    this.#close = () => request.destroy()
    request.on('error', comeBack)
    request.on('response', (response) => {
      const parser = new SseParser(({ event, data, lastEventId }) => {
        if (!isOver) this.hear({ type: event, id: lastEventId, data: JSON.parse(data) as Frame['data'] })
      })
      response.setEncoding('utf8')
      response.on('data', (piece: string) => parser.push(piece))
      response.on('error', () => undefined)
      response.on('close', comeBack)
    })
  }
}
