import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { SseParser } from '../../src/client/sse-parser.ts'
import type { LiveContract } from './live-contract.ts'
import type { Scope } from './stores.ts'

/** What a live connection told. */
export interface LiveEvent {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

type Wanted = (event: LiveEvent) => boolean

const patienceMs = 60_000

/** The events of one connection, each handed out once and in their order. */
export class EventLog {
  readonly all: LiveEvent[] = []
  #read = 0
  readonly #watchers = new Set<() => void>()
  #over = ''

  push(event: LiveEvent): void {
    this.all.push(event)
    this.#notify()
  }

  /** Nothing more comes. */
  end(why: string): void {
    this.#over = why
    this.#notify()
  }

  /** The next event of a type; those before it are passed over. Rejects after a minute, or when none can come. */
  next(type: string, wanted: Wanted = () => true): Promise<LiveEvent> {
    return this.#find(type, (event) => event.type === type && wanted(event))
  }

  #find(name: string, wanted: Wanted): Promise<LiveEvent> {
    return new Promise((resolve, reject) => {
      const stop = (act: () => void): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        act()
      }
      const fail = (why: string): void =>
        stop(() => reject(new Error(`no ${name}: ${why}; there was ${JSON.stringify(this.all.slice(-5))}`)))
      const look = (): void => {
        const found = this.all.findIndex((event, index) => index >= this.#read && wanted(event))
        if (found >= 0) {
          this.#read = found + 1
          stop(() => resolve(this.all[found] as LiveEvent))
        } else if (this.#over !== '') fail(this.#over)
      }
      const timer = setTimeout(() => fail(`not within ${patienceMs} ms`), patienceMs)
      this.#watchers.add(look)
      look()
    })
  }

  #notify(): void {
    for (const look of this.#watchers) look()
  }
}

/** An open event stream. */
export interface SseReader {
  readonly events: EventLog
  /** All that was received, as text. */
  readonly text: () => string
  /** Resolves when the server ended the stream, or the connection broke. */
  readonly ended: Promise<void>
  close(): void
}

export interface OpenOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly contract: LiveContract
}

/** Opens an event stream; rejects when the answer is no 200. */
export async function openSse(t: Scope, url: string, { headers, contract }: OpenOptions): Promise<SseReader> {
  const events = new EventLog()
  const request = get(url, { headers, agent: false })
  t.teardown(() => request.destroy())
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', reject)
  })
  if (response.statusCode !== 200) {
    request.destroy()
    throw new Error(`the stream was answered ${response.statusCode}`)
  }
  const parser = new SseParser(({ event: type, data: json }) => {
    const data = JSON.parse(json) as LiveEvent['data']
    contract.event(url, type, data)
    events.push({ type, data })
  })
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (piece: string) => {
    text += piece
    parser.push(piece)
  })
  response.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => {
    response.on('close', () => {
      events.end('the stream is over')
      resolve()
    })
  })
  return { events, text: () => text, ended, close: () => request.destroy() }
}

/** What a server sends over a WebSocket, and what a test sends. */
export class WsReader {
  readonly socket: WebSocket
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  /** Replies, by `ref`, and errors without one under the type `error`. */
  readonly replies = new EventLog()
  readonly #channels = new Map<string, EventLog>()
  #refs = 0

  private constructor(socket: WebSocket, contract: LiveContract) {
    this.socket = socket
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Record<string, unknown>
      contract.frame(frame)
      this.#take(frame)
    })
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        for (const log of [this.replies, ...this.#channels.values()]) log.end(`closed with ${code}`)
        resolve({ code, reason: reason.toString() })
      })
    })
  }

  static async open(t: Scope, port: number, { headers, contract }: OpenOptions): Promise<WsReader> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers })
    t.teardown(() => socket.terminate())
    socket.on('error', () => undefined)
    const reader = new WsReader(socket, contract)
    await new Promise<void>((resolve, reject) => {
      socket.on('open', resolve)
      socket.on('unexpected-response', (_, response) => {
        response.resume()
        reject(new Error(`the upgrade was answered ${response.statusCode}`))
      })
      socket.on('error', reject)
    })
    return reader
  }

  /** The events of a channel, from the first that came. */
  channel(name: string): EventLog {
    const known = this.#channels.get(name)
    if (known !== undefined) return known
    const fresh = new EventLog()
    this.#channels.set(name, fresh)
    return fresh
  }

  /** Sends a frame and resolves with its reply. */
  async ask(frame: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    const ref = ++this.#refs
    this.send({ ref, ...frame })
    return (await this.replies.next(String(ref))).data
  }

  /** Subscribes and resolves with the channel's events; rejects when the server refuses. */
  async subscribe(name: string): Promise<EventLog> {
    const reply = await this.ask({ op: 'subscribe', ch: name })
    if (reply['ok'] !== true) throw new Error(`refused: ${JSON.stringify(reply)}`)
    return this.channel(name)
  }

  send(frame: unknown): this {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
    return this
  }

  #take(frame: Record<string, unknown>): void {
    const { ch, type, data, ref } = frame
    if (typeof ch === 'string') {
      this.channel(ch).push({ type: String(type), data: data as LiveEvent['data'] })
    } else {
      this.replies.push({ type: ref === undefined ? 'error' : String(ref as string | number), data: frame })
    }
  }
}
