import { Observable, type Subscriber } from 'rxjs'
import { z } from 'zod'
import type { Addresses } from './addresses.ts'
import { ApiError, ConnectionError, jsonOrUndefined, problemMessage } from './api-error.ts'
import type { WebSocketConstructor, WebSocketLike } from './client-ports.ts'

/** An event of a channel. */
export interface ChannelEvent {
  readonly type: string
  readonly data: unknown
  /** The position after it, where the channel has positions. */
  readonly id: string | undefined
}

export interface LiveSocketOptions {
  readonly addresses: Addresses
  readonly token: string | undefined
  readonly WebSocket: WebSocketConstructor | undefined
}

/** What stands at the beginning of each channel's observable: the server has taken the subscription. */
export const subscribed: ChannelEvent = { type: 'subscribed', data: undefined, id: undefined }

const serverFrame = z.union([
  z.object({ ch: z.string(), type: z.string(), id: z.string().optional(), data: z.unknown() }),
  z.object({ ref: z.string(), ok: z.literal(true) }),
  z.object({ ref: z.string().optional(), error: problemMessage }),
])

/** Close codes from here on say: do not come back. */
const finalCodes = { from: 4500, to: 4999 } as const

/**
 * One WebSocket for all channels of a client. It is open while somebody listens to a channel. When it is cut, every
 * channel ends with a ConnectionError; the first that is listened to again opens the next one.
 */
export class LiveSocket {
  readonly #options: LiveSocketOptions
  readonly #listeners = new Map<string, Subscriber<ChannelEvent>>()
  /** Where listeners want to go on. */
  readonly #since = new Map<string, string>()
  #socket: WebSocketLike | undefined
  #isOpen = false

  constructor(options: LiveSocketOptions) {
    this.#options = options
  }

  /** A channel has one listener at a time. Says `subscribed` when it is, goes on after `since`, never completes. */
  channel(ch: string, since?: string): Observable<ChannelEvent> {
    return new Observable((listener) => {
      if (this.#listeners.has(ch)) return listener.error(new Error(`${ch} is listened to already`))
      this.#listeners.set(ch, listener)
      if (since !== undefined) this.#since.set(ch, since)
      if (this.#isOpen) this.#subscribe(ch)
      else if (this.#socket === undefined) this.#connect()
      return () => this.#leave(ch, listener)
    })
  }

  #connect(): void {
    const { addresses, token, WebSocket } = this.#options
    if (WebSocket === undefined) return this.#cut(new Error('This client was given no WebSocket'))
    const address = addresses.current
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const socket = new WebSocket(`${address.replace(/^http/, 'ws')}/ws`, [], { headers })
    this.#socket = socket
    let failure = ''
    const ifCurrent = (work: () => void) => () => {
      if (this.#socket === socket) work()
    }
    socket.onopen = ifCurrent(() => this.#opened())
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      if (this.#socket === socket) this.#read(String(data))
    }
    socket.onerror = ({ message }: { readonly message?: string }) => (failure = message ?? 'error')
    socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) => {
      if (this.#socket !== socket) return
      addresses.noteFailure(address)
      const isFinal = code >= finalCodes.from && code <= finalCodes.to
      const why = [code, reason, failure].filter((part) => part !== '').join(' ')
      this.#cut(new ConnectionError(`The WebSocket was closed: ${why}`, { isFinal }))
    }
  }

  #opened(): void {
    this.#isOpen = true
    for (const ch of this.#listeners.keys()) this.#subscribe(ch)
  }

  #subscribe(ch: string): void {
    this.#socket?.send(JSON.stringify({ op: 'subscribe', ch, ref: ch, since: this.#since.get(ch) }))
  }

  #read(text: string): void {
    const frame = serverFrame.safeParse(jsonOrUndefined(text))
    if (!frame.success) return
    const told = frame.data
    if ('ch' in told) {
      this.#listeners.get(told.ch)?.next({ type: told.type, data: told.data, id: told.id })
    } else if ('ok' in told) {
      this.#listeners.get(told.ref)?.next(subscribed)
    } else if (told.ref !== undefined) {
      this.#listeners.get(told.ref)?.error(new ApiError(told.error))
    }
  }

  /** Whoever listens again while being told of the cut already gets the next socket. */
  #cut(error: Error): void {
    this.#socket = undefined
    this.#isOpen = false
    const listeners = [...this.#listeners.values()]
    this.#listeners.clear()
    this.#since.clear()
    for (const listener of listeners) listener.error(error)
  }

  #leave(ch: string, listener: Subscriber<ChannelEvent>): void {
    if (this.#listeners.get(ch) !== listener) return
    this.#listeners.delete(ch)
    this.#since.delete(ch)
    if (this.#listeners.size > 0) {
      if (this.#isOpen) this.#socket?.send(JSON.stringify({ op: 'unsubscribe', ch }))
      return
    }
    const socket = this.#socket
    this.#socket = undefined
    this.#isOpen = false
    socket?.close()
  }
}
