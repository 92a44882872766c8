import type { HttpResponse } from 'uWebSockets.js'
import type { Caller } from './caller.ts'
import type { Exchange } from './exchange.ts'
import { writeHead } from './http-answer.ts'
import type { Farewell, LiveConnection, LiveConnections } from './live-connections.ts'
import { eventText, type Listener, type Topics } from './topics.ts'

export interface StreamEvent {
  readonly event: string
  /** Sent as JSON. */
  readonly data: unknown
  /** Where the client is after this event; a browser sends it back as Last-Event-ID. */
  readonly id?: string
}

/** Why a stream is over: the client left, the server ended it, or the client did not read what it was sent. */
export type StreamEnd = 'client-left' | 'ended' | 'too-slow' | Farewell

/** Server-sent events to one client. Sending after the end does nothing, so no sender has to look first. */
export interface EventStream {
  readonly lastEventId: string | undefined
  readonly isClosed: boolean
  send(event: StreamEvent): void
  /** From now on the client is told what is published under the topic, until the stream ends. */
  join(topic: string): void
  comment(text: string): void
  close(): void
  /** Called once at the end, whatever its reason; at once when the stream is over already. */
  onClose(callback: (end: StreamEnd) => void): void
}

export interface StreamParts {
  readonly exchange: Exchange
  readonly live: LiveConnections
  readonly topics: Topics
  readonly unreadBytesMax: number
  /** 0 ≤ random < 1. */
  readonly random: () => number
  readonly onCallbackFailure: (error: unknown) => void
}

/**
 * An event stream on the wire. States:
 * - waiting: nothing was sent; the request can still be answered with an error;
 * - flowing: what is sent goes to the web server;
 * - blocked: the web server holds bytes that the client did not read; ours wait here, up to the budget;
 * - closed: the response is never touched again.
 */
export class SseConnection implements EventStream, LiveConnection, Listener {
  readonly sort = 'stream'
  readonly #parts: StreamParts
  readonly #callbacks: ((end: StreamEnd) => void)[] = []
  #state: 'waiting' | 'flowing' | 'blocked' | 'closed' = 'waiting'
  #end: StreamEnd = 'ended'
  #res: HttpResponse | undefined
  #unread: (string | Uint8Array)[] = []
  #unreadBytes = 0

  constructor(parts: StreamParts) {
    this.#parts = parts
    parts.exchange.onGone = () => this.#finish('client-left')
  }

  get caller(): Caller | undefined {
    return this.#parts.exchange.caller
  }

  get lastEventId(): string | undefined {
    return this.#parts.exchange.head.lastEventId || undefined
  }

  get hasBegun(): boolean {
    return this.#state === 'flowing' || this.#state === 'blocked'
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  send({ event: type, data, id }: StreamEvent): void {
    this.#write(eventText(id === undefined ? { type, data } : { type, id, data }))
  }

  sendEncoded(text: Uint8Array): void {
    this.#write(text)
  }

  join(topic: string): void {
    if (this.#state !== 'closed') this.onClose(this.#parts.topics.join(topic, this))
  }

  comment(text: string): void {
    this.#write(`: ${text}\n\n`)
  }

  close(): void {
    this.#endPolitely('ended', '')
  }

  onClose(callback: (end: StreamEnd) => void): void {
    if (this.#state === 'closed') callback(this.#end)
    else this.#callbacks.push(callback)
  }

  beat(): void {
    this.comment('')
  }

  bid(farewell: Farewell): void {
    // A client that was told to leave comes back to another process; the jitter keeps a crowd from doing so at once.
    const hint = farewell === 'draining' ? `retry: ${this.#jitterMs(1_000, 5_000)}\n\n` : ''
    this.#endPolitely(farewell, hint)
  }

  /** Sends the head, with a hint how long to wait before connecting again. */
  begin(): void {
    if (this.#state !== 'waiting') return
    const { exchange, live } = this.#parts
    const taken = exchange.takeResponse()
    if (!taken) return this.#finish('client-left')
    this.#res = taken.res
    this.#state = 'flowing'
    taken.res.onWritable(() => this.#resume())
    taken.res.cork(() => {
      const head = { status: 200, contentType: 'text/event-stream; charset=utf-8', headers: streamHeaders }
      writeHead(taken.res, head, { traceId: exchange.traceId, corsOrigin: taken.corsOrigin })
      taken.res.write(`retry: ${this.#jitterMs(1_000, 3_000)}\n\n`)
    })
    live.add(this)
  }

  /** Ends a stream that never began; the request is answered in another way. */
  discard(): void {
    this.#finish('ended')
  }

  #write(text: string | Uint8Array): void {
    this.begin()
    if (this.#state === 'flowing') this.#pass(text)
    else if (this.#state === 'blocked') this.#keep(text)
  }

  /**
   * Corked, so that one event is one packet. The web server tells of a full socket one write late then: at most two
   * events wait inside of it, all others wait here.
   */
  #pass(text: string | Uint8Array): void {
    const res = this.#res
    let isFlowing = true
    res?.cork(() => {
      isFlowing = res.write(text)
    })
    if (!isFlowing) this.#state = 'blocked'
  }

  #keep(text: string | Uint8Array): void {
    this.#unreadBytes += Buffer.byteLength(text)
    if (this.#unreadBytes <= this.#parts.unreadBytesMax) {
      this.#unread.push(text)
    } else {
      const res = this.#res
      this.#finish('too-slow')
      this.#parts.live.noteTooSlow()
      res?.close()
    }
  }

  /**
   * The socket takes bytes again. The web server sends what it holds only when something more is written, so an empty
   * comment goes first; it also tells whether all of it got out.
   */
  #resume(): boolean {
    if (this.#state === 'closed') return true
    this.#state = 'flowing'
    this.#pass(':\n\n')
    const waiting = this.#unread
    let sent = 0
    while (sent < waiting.length && this.#isFlowing()) this.#pass(waiting[sent++] ?? '')
    this.#unread = waiting.slice(sent)
    this.#unreadBytes = this.#unread.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    return true
  }

  #isFlowing(): boolean {
    return this.#state === 'flowing'
  }

  #endPolitely(end: StreamEnd, lastWords: string): void {
    this.begin()
    const res = this.#res
    const isBlocked = this.#state === 'blocked'
    this.#finish(end)
    if (isBlocked) res?.close()
    else res?.cork(() => res.end(lastWords, true))
  }

  #finish(end: StreamEnd): void {
    if (this.#state === 'closed') return
    const hadBegun = this.hasBegun
    this.#state = 'closed'
    this.#end = end
    this.#res = undefined
    this.#unread = []
    this.#parts.live.delete(this)
    if (hadBegun) this.#parts.exchange.abort()
    for (const callback of this.#callbacks.splice(0)) {
      try {
        callback(end)
      } catch (error) {
        this.#parts.onCallbackFailure(error)
      }
    }
  }

  #jitterMs(from: number, to: number): number {
    return Math.floor(from + this.#parts.random() * (to - from))
  }
}

const streamHeaders = { 'x-accel-buffering': 'no' }
