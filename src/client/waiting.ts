import { catchError, EMPTY, filter, map, Observable, tap, throwError } from 'rxjs'
import {
  queueEvents,
  type QueueEvent,
  type QueueEventType,
  type QueueJoined,
} from '../domain/queue/queue-messages.ts'
import { isCode, jsonOrUndefined } from './api-error.ts'
import type { Time } from './client-ports.ts'
import type { HttpCalls } from './http-calls.ts'
import { type LiveSocket, subscribed } from './live-socket.ts'
import { reconnecting } from './reconnecting.ts'
import type { RetryPolicy } from './retry.ts'
import { sseEvents, type SsePosition } from './sse-connection.ts'

/** What happens in line: the server's events, and what becomes of the connection and the place meanwhile. */
export type LineEvent =
  | QueueEvent
  | { readonly type: 'connected'; readonly data: object }
  | { readonly type: 'disconnected'; readonly data: { readonly error: unknown; readonly pauseMs: number } }
  | { readonly type: 'rejoined'; readonly data: QueueJoined }

export type Transport = 'sse' | 'ws'

export interface WaitOptions {
  readonly sale: string
  readonly transport: Transport
  /** The queue ticket of the join; brings the place back should the server lose it. */
  readonly ticket?: string | undefined
}

export interface WaitParts {
  readonly calls: HttpCalls
  readonly socket: LiveSocket
  readonly time: Time
  readonly random: () => number
  readonly policy: RetryPolicy
  readonly join: (sale: string, ticket: string | undefined) => Promise<QueueJoined>
}

/**
 * Waits in line through cuts, servers that go away and lost places. Completes when the place has ended: `closed`,
 * `expired`, `fulfilled`, or `absent` after `admitted`. While still waiting, `absent` is answered by joining again.
 */
export function waitInLine(parts: WaitParts, options: WaitOptions): Observable<LineEvent> {
  return new Observable((listener) => {
    let ticket = options.ticket
    let admittedAt = ''
    let isLeft = false
    const tell = (event: LineEvent): void => {
      // Told again after each reconnection; the first token of an admission is as good as the next.
      if (event.type === 'admitted' && event.data.admittedAt === admittedAt) return
      if (event.type === 'admitted') admittedAt = event.data.admittedAt
      listener.next(event)
      const isOver = lastEvents.has(event.type) || (event.type === 'absent' && admittedAt !== '')
      if (isOver) listener.complete()
      else if (event.type === 'absent') void rejoin()
    }
    const rejoin = async (): Promise<void> => {
      try {
        const joined = await joinAgain(parts, options.sale, ticket)
        if (isLeft) return
        ticket = joined.ticket
        tell({ type: 'rejoined', data: joined })
        if (joined.state === 'admitted') tell({ type: 'admitted', data: joined })
      } catch (error) {
        if (isCode(error, 'sale_closed')) tell({ type: 'closed', data: {} })
        else listener.error(error)
      }
    }
    const subscription = liveEvents(parts, options, tell).subscribe({
      next: tell,
      error: (error: unknown) => listener.error(error),
    })
    return () => {
      isLeft = true
      subscription.unsubscribe()
    }
  })
}

const lastEvents: ReadonlySet<string> = new Set(['closed', 'expired', 'fulfilled'])

/** A ticket that the server does not know any more is no reason to stay away. */
async function joinAgain(
  { join }: WaitParts,
  sale: string,
  ticket: string | undefined,
): Promise<QueueJoined> {
  try {
    return await join(sale, ticket)
  } catch (error) {
    if (ticket === undefined || !isCode(error, 'queue_ticket_invalid')) throw error
    return await join(sale, undefined)
  }
}

function liveEvents(
  parts: WaitParts,
  { sale, transport }: WaitOptions,
  tell: (event: LineEvent) => void,
): Observable<QueueEvent> {
  const { calls, socket, time, random, policy } = parts
  const position: SsePosition = { lastEventId: '', retryMs: undefined }
  const onOpen = (): void => tell({ type: 'connected', data: {} })
  const path = `/api/v1/sales/${encodeURIComponent(sale)}/queue/stream`
  const sse$ = (): Observable<QueueEvent> =>
    sseEvents(calls, { path, position, onOpen, time }).pipe(
      map(({ event, data }) => queueEvent(event, jsonOrUndefined(data))),
      filter((event) => event !== undefined),
    )
  const ws$ = (): Observable<QueueEvent> =>
    socket.channel(`queue:${sale}`).pipe(
      tap((event) => event === subscribed && onOpen()),
      map(({ type, data }) => queueEvent(type, data)),
      filter((event) => event !== undefined),
    )
  const connect = transport === 'sse' ? sse$ : ws$
  const lasting$ = reconnecting(connect, {
    time,
    random,
    policy,
    hintMs: () => position.retryMs,
    onCut: (error, pauseMs) => tell({ type: 'disconnected', data: { error, pauseMs } }),
  })
  return lasting$.pipe(catchError(toClosed(tell)))
}

/** A sale that is over may refuse the stream instead of telling. */
function toClosed(tell: (event: LineEvent) => void) {
  return (error: unknown): Observable<never> => {
    if (!isCode(error, 'sale_closed')) return throwError(() => error)
    tell({ type: 'closed', data: {} })
    return EMPTY
  }
}

/** The checked event; undefined for one that this client does not know. */
function queueEvent(type: string, data: unknown): QueueEvent | undefined {
  if (!Object.hasOwn(queueEvents, type)) return undefined
  const parsed = queueEvents[type as QueueEventType].safeParse(data)
  return parsed.success ? ({ type, data: parsed.data } as QueueEvent) : undefined
}
