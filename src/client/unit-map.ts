import { catchError, defer, EMPTY, map, mergeMap, throwError, type Observable } from 'rxjs'
import {
  availabilityDelta,
  availabilitySnapshot,
  type AvailabilityDelta,
  type AvailabilitySnapshot,
} from '../domain/units/unit-messages.ts'
import { ConnectionError, isCode, jsonOrUndefined } from './api-error.ts'
import type { ChannelEvent } from './live-socket.ts'
import { reconnecting } from './reconnecting.ts'
import { sseEvents, type SsePosition } from './sse-connection.ts'
import type { Transport, WaitParts } from './waiting.ts'

export interface UnitMapOptions {
  readonly sale: string
  readonly transport: Transport
}

/** What is free in a sale, as the server has told it. */
export class UnitMap {
  #epoch = -1
  #seq = -1
  /**
   * In a sale of seats what each is, by its number in the layout: 0 free, 1 held, 2 sold. Four seats come in a byte: up to
   * three behind the last one are none.
   */
  seats = new Uint8Array()
  /** In a sale of slots the free places by unit code. */
  readonly pools = new Map<string, number>()

  /** Where it stands, as `epoch:seq`; undefined before the first snapshot. */
  get position(): string | undefined {
    return this.#epoch < 0 ? undefined : `${this.#epoch}:${this.#seq}`
  }

  replace({ epoch, seq, seats, pools }: AvailabilitySnapshot): void {
    this.#epoch = epoch
    this.#seq = seq
    const bytes = globalThis.atob(seats)
    this.seats = Uint8Array.from(
      { length: 4 * bytes.length },
      (_, unitNo) => (bytes.charCodeAt(unitNo >> 2) >> (2 * (unitNo & 3))) & 3,
    )
    this.pools.clear()
    this.#count(pools)
  }

  /** False when something before it is missing; nothing is changed then, nor by what was heard already. */
  follow({ prev, seq, changes, pools }: AvailabilityDelta, id: string | undefined): boolean {
    if (id !== `${this.#epoch}:${seq}`) return false
    if (prev !== this.#seq) return seq <= this.#seq
    this.#seq = seq
    for (const [unitNo, state] of changes) this.seats[unitNo] = state
    this.#count(pools)
    return true
  }

  #count(pools: Readonly<Record<string, number>>): void {
    for (const [code, left] of Object.entries(pools)) this.pools.set(code, left)
  }
}

/**
 * The map of a sale, told again with each event: one and the same map, changed in place. It lasts through cuts, which it
 * resumes after; a delta that does not follow is answered by asking again. Completes when the sale is closed.
 */
export function unitMap(
  parts: Omit<WaitParts, 'join'>,
  { sale, transport }: UnitMapOptions,
): Observable<UnitMap> {
  const { calls, socket, time, random, policy } = parts
  const path = `/api/v1/sales/${encodeURIComponent(sale)}/availability/stream`
  return defer(() => {
    const known = new UnitMap()
    const sse: SsePosition = { lastEventId: '', retryMs: undefined }
    const connect = (): Observable<ChannelEvent> => {
      if (transport === 'ws') return socket.channel(`units:${sale}`, known.position)
      // What was heard last is not always what was applied last.
      sse.lastEventId = known.position ?? ''
      return sseEvents(calls, { path, position: sse, time }).pipe(
        map(({ event, data, lastEventId }) => ({
          type: event,
          data: jsonOrUndefined(data),
          id: lastEventId,
        })),
      )
    }
    const told$ = (): Observable<UnitMap> =>
      connect().pipe(mergeMap((event) => (hear(known, event) ? [known] : [])))
    return reconnecting(told$, { time, random, policy, hintMs: () => sse.retryMs })
  }).pipe(catchError((error: unknown) => (isCode(error, 'sale_closed') ? EMPTY : throwError(() => error))))
}

/**
 * Whether it said anything about the map. Throws, so that it is asked for again, when something is missing before it. What
 * this client cannot read is passed over; the delta after it does not follow.
 */
function hear(known: UnitMap, { type, data, id }: ChannelEvent): boolean {
  const snapshot = type === 'snapshot' ? availabilitySnapshot.safeParse(data).data : undefined
  if (snapshot !== undefined) known.replace(snapshot)
  const delta = type === 'delta' ? availabilityDelta.safeParse(data).data : undefined
  if (delta !== undefined && !known.follow(delta, id)) {
    throw new ConnectionError(`${id} does not follow ${known.position}`)
  }
  return snapshot !== undefined || delta !== undefined
}
