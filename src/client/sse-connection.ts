import { Observable } from 'rxjs'
import { ApiError, ConnectionError } from './api-error.ts'
import type { ByteStream, FetchResponse, Time } from './client-ports.ts'
import type { HttpCalls } from './http-calls.ts'
import { SseParser, type SseEvent } from './sse-parser.ts'

/** What a stream leaves behind for the connection after it. */
export interface SsePosition {
  lastEventId: string
  retryMs: number | undefined
}

export interface SseOptions {
  readonly path: string
  /** Where the stream before this one ended; kept up to date. */
  readonly position: SsePosition
  readonly onOpen?: () => void
  readonly time: Time
}

/** The server says something, if only a comment, every 15 s: a stream that is silent for three times that is dead. */
const silenceMaxMs = 45_000

/** One connection to a stream of server-sent events. It never completes: its end is a ConnectionError, or an ApiError. */
export function sseEvents(calls: HttpCalls, options: SseOptions): Observable<SseEvent> {
  return new Observable((listener) => {
    const left = new AbortController()
    const { position } = options
    const parser = new SseParser((event) => listener.next(event), position.lastEventId)
    const headers = {
      accept: 'text/event-stream',
      ...(position.lastEventId === '' ? {} : { 'last-event-id': position.lastEventId }),
    }
    const fail = (error: Error): void => {
      if (left.signal.aborted) return
      left.abort()
      listener.error(error)
    }
    const read = async (): Promise<never> => {
      const response = await calls.open(options.path, headers, left.signal)
      options.onOpen?.()
      const decoder = new TextDecoder()
      let heardMs = options.time.nowMs()
      void endWhenSilent(options.time, left.signal, () => heardMs).then((isSilent) => {
        if (isSilent) fail(new ConnectionError('The stream went silent'))
      })
      for await (const bytes of bytesOf(response)) {
        heardMs = options.time.nowMs()
        parser.push(decoder.decode(bytes, { stream: true }))
        position.lastEventId = parser.lastEventId
        position.retryMs = parser.retryMs ?? position.retryMs
      }
      throw new ConnectionError('The server ended the stream')
    }
    read().catch((error: unknown) => {
      const isKnown = error instanceof ApiError || error instanceof ConnectionError
      fail(isKnown ? error : new ConnectionError('The stream was cut', { cause: error }))
    })
    return () => left.abort()
  })
}

/** Resolves to true when nothing was heard for too long, to false when the stream was left before. */
async function endWhenSilent(time: Time, left: AbortSignal, heardMs: () => number): Promise<boolean> {
  while (!left.aborted) {
    const silentMs = time.nowMs() - heardMs()
    if (silentMs >= silenceMaxMs) return true
    await time.wait(silenceMaxMs - silentMs, left)
  }
  return false
}

async function* bytesOf({ body }: FetchResponse): AsyncGenerator<Uint8Array> {
  if (body === null) return
  if (!isByteStream(body)) {
    yield* body
    return
  }
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      if (value !== undefined) yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function isByteStream(body: NonNullable<FetchResponse['body']>): body is ByteStream {
  return 'getReader' in body
}
