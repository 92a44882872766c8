/** What the client needs of the world. Browsers and Node 20 have all of it but the WebSocket, which Node gets from `ws`. */

/** The part of the standard `fetch` that is used here. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>

export interface FetchInit {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: string
  readonly signal?: AbortSignal
}

export interface FetchResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  /** Either way of reading: not every browser lets a stream be iterated over. */
  readonly body: AsyncIterable<Uint8Array> | ByteStream | null
  text(): Promise<string>
}

export interface ByteStream {
  getReader(): ByteReader
}

export interface ByteReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  cancel(): Promise<void>
}

/** The browser's WebSocket, or that of `ws`. Browsers ignore the third argument: there the session cookie identifies. */
export type WebSocketConstructor = new (
  url: string,
  protocols?: string[],
  options?: { headers: Record<string, string> },
) => WebSocketLike

/** Handlers take `never` because the event types of browsers and `ws` have no common ancestor. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null
  /** Its event has `data`. */
  onmessage: ((event: never) => void) | null
  /** Its event has `code` and `reason`. */
  onclose: ((event: never) => void) | null
  /** Its event has, in Node, a `message`. */
  onerror: ((event: never) => void) | null
  send(text: string): void
  close(): void
}

/** Clock and timers. */
export interface Time {
  /** Milliseconds since 1970. */
  nowMs(): number
  /** Resolves after `ms`, or at once when the signal aborts; never rejects. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemTime: Time = {
  nowMs: () => Date.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const finish = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, ms)
      signal?.addEventListener('abort', finish, { once: true })
    }),
}

/** 0 ≤ random < 1. */
export function systemRandom(): number {
  const [word = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1))
  return word / 2 ** 32
}
