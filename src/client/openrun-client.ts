import { filter, map, share, type Observable } from 'rxjs'
import { z } from 'zod'
import { guestAnswer, type GuestAnswer } from '../domain/accounts/account-messages.ts'
import { orderAnswer, orderMessage, orderPage, type OrderMessage } from '../domain/orders/order-messages.ts'
import {
  drawEntriesPage,
  drawView,
  type DrawEntriesPage,
  type DrawView,
} from '../domain/queue/draw-messages.ts'
import {
  queueJoined,
  queueStanding,
  type QueueJoined,
  type QueueStandingView,
} from '../domain/queue/queue-messages.ts'
import { saleLayout, type SaleLayout } from '../domain/sales/sale-layout-messages.ts'
import {
  salePage,
  saleView,
  type newSale,
  type saleChanges,
  type SalePage,
  type SaleView,
} from '../domain/sales/sale-messages.ts'
import {
  checkinAnswer,
  revokedPage,
  ticketMessage,
  type CheckedInBooking,
} from '../domain/tickets/ticket-messages.ts'
import { holdList, holdView, type holdBody, type HoldView } from '../domain/units/unit-messages.ts'
import { Addresses } from './addresses.ts'
import { path } from './call-path.ts'
import { systemRandom, systemTime, type Fetch, type Time, type WebSocketConstructor } from './client-ports.ts'
import { HttpCalls, type Call } from './http-calls.ts'
import { LiveSocket } from './live-socket.ts'
import { orderOutcome } from './order-outcome.ts'
import { reconnecting } from './reconnecting.ts'
import { StoreCalls } from './store-calls.ts'
import { defaultRetryPolicy, type RetryPolicy } from './retry.ts'
import { unitMap, type UnitMap, type UnitMapOptions } from './unit-map.ts'
import { waitInLine, type LineEvent, type WaitOptions, type WaitParts } from './waiting.ts'

export interface ClientOptions {
  /** Address of the server, or of several: calls go to another one when one fails. */
  readonly baseUrl: string | readonly string[]
  /** An access token or an organiser key. Browsers with a session cookie need none. */
  readonly token?: string | undefined
  /** The global one when left out. */
  readonly fetch?: Fetch
  /** Needed for the transport `ws` and for `orderNotices`; in Node that of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor | undefined
  readonly time?: Time
  /** 0 ≤ random < 1. */
  readonly random?: () => number
  /** Makes an Idempotency-Key. */
  readonly newKey?: () => string
  readonly retry?: RetryPolicy
  /** How long to wait for an answer before the attempt counts as failed; 10 s when left out. */
  readonly timeoutMs?: number
}

export type HoldRequest = z.input<typeof holdBody>
export type Ticket = z.infer<typeof ticketMessage>
export type OrderPage = z.infer<typeof orderPage>
export type OrderNotice = z.infer<typeof orderNotice>

interface Signalled {
  /** Ends the call, and the attempts to repeat it. */
  readonly signal?: AbortSignal | undefined
}

const orderNotice = z.object({ order: z.string(), status: orderMessage.shape.status })

/**
 * Everything a buyer or an organiser can ask of an Openrun server. Each call is sent again as long as that is safe and
 * may help. All throw ApiError when the server refuses and ConnectionError when there was no answer.
 */
export class OpenrunClient {
  readonly #options: ClientOptions
  readonly #calls: HttpCalls
  readonly #socket: LiveSocket
  readonly #time: Time
  readonly #random: () => number
  readonly #policy: RetryPolicy
  /** What becomes of the account's orders, over the WebSocket. A notice that was missed is repaired by reading the order. */
  readonly orderNotices$: Observable<OrderNotice>
  /** Pop-up stores and their rooms. */
  readonly stores = new StoreCalls((call) => this.#send(call))

  constructor(options: ClientOptions) {
    this.#options = options
    const { baseUrl, token, timeoutMs = 10_000 } = options
    const { fetch = globalThis.fetch, newKey = () => globalThis.crypto.randomUUID() } = options
    this.#time = options.time ?? systemTime
    this.#random = options.random ?? systemRandom
    this.#policy = options.retry ?? defaultRetryPolicy
    const [time, random, retry] = [this.#time, this.#random, this.#policy]
    const addresses = new Addresses(typeof baseUrl === 'string' ? [baseUrl] : baseUrl)
    this.#calls = new HttpCalls({ addresses, token, fetch, time, random, newKey, retry, timeoutMs })
    this.#socket = new LiveSocket({ addresses, token, WebSocket: options.WebSocket })
    this.orderNotices$ = this.#noticesOf()
  }

  /** The same client for another account. */
  withToken(token: string | undefined): OpenrunClient {
    return new OpenrunClient({ ...this.#options, token })
  }

  /** A new account of nothing but a call; continue with `withToken(accessToken)`. */
  createGuest(options: Signalled = {}): Promise<GuestAnswer> {
    return this.#send({ method: 'POST', path: '/auth/guest', answer: guestAnswer, ...options })
  }

  sales(
    query: { status?: string; kind?: string; q?: string; cursor?: string; limit?: number } = {},
  ): Promise<SalePage> {
    return this.#send({ method: 'GET', path: '/sales', query, answer: salePage })
  }

  sale(sale: string): Promise<SaleView> {
    return this.#send({ method: 'GET', path: path`/sales/${sale}`, answer: saleView })
  }

  layout(sale: string): Promise<SaleLayout> {
    return this.#send({ method: 'GET', path: path`/sales/${sale}/layout`, answer: saleLayout })
  }

  /** For organisers. */
  createSale(body: z.input<typeof newSale>): Promise<SaleView> {
    return this.#send({ method: 'POST', path: '/sales', body, answer: saleView, once: true })
  }

  /** For organisers: pace, pause, resume, close. */
  changeSale(sale: string, body: z.input<typeof saleChanges>): Promise<SaleView> {
    return this.#send({ method: 'PATCH', path: path`/sales/${sale}`, body, answer: saleView })
  }

  /** Gives a place in line, the same one however often it is called. Keep `ticket`: it brings the place back after a loss. */
  joinQueue(sale: string, options: Signalled & { ticket?: string | undefined } = {}): Promise<QueueJoined> {
    const { ticket, signal } = options
    const body = ticket === undefined ? {} : { ticket }
    return this.#send({ method: 'POST', path: path`/sales/${sale}/queue`, body, answer: queueJoined, signal })
  }

  /** The draw of a lottery; `checkDraw` recomputes it. */
  draw(sale: string): Promise<DrawView> {
    return this.#send({ method: 'GET', path: path`/sales/${sale}/draw`, answer: drawView })
  }

  /** The entries of a draw that has taken place. */
  drawEntries(sale: string, query: { cursor?: string; limit?: number } = {}): Promise<DrawEntriesPage> {
    return this.#send({
      method: 'GET',
      path: path`/sales/${sale}/draw/entries`,
      query,
      answer: drawEntriesPage,
    })
  }

  /** Throws `not_in_line` for who has no place. */
  queuePlace(sale: string): Promise<QueueStandingView> {
    return this.#send({ method: 'GET', path: path`/sales/${sale}/queue/me`, answer: queueStanding })
  }

  /** Gives up the place, or the purchase token with all holds of which no order was made. */
  leaveQueue(sale: string, options: Signalled = {}): Promise<void> {
    const doneCodes = ['not_in_line']
    return this.#send({ method: 'DELETE', path: path`/sales/${sale}/queue/me`, doneCodes, ...options })
  }

  /**
   * What happens in line, through cuts and losses. At most one a sale over a client's WebSocket. Unsubscribe before
   * `leaveQueue`: whoever still listens is taken for somebody who lost the place, and joins again.
   */
  waitInLine(options: WaitOptions): Observable<LineEvent> {
    const join = (sale: string, ticket: string | undefined) => this.joinQueue(sale, { ticket })
    return waitInLine({ ...this.#liveParts(), join }, options)
  }

  /** What is free in a sale, as it changes. At most one a sale over a client's WebSocket. */
  unitMap(options: UnitMapOptions): Observable<UnitMap> {
    return unitMap(this.#liveParts(), options)
  }

  /** Named units, or the best that are together. `unit_taken` and `none_together` say: choose again. */
  hold(
    sale: string,
    options: Signalled & { purchaseToken: string; request: HoldRequest },
  ): Promise<HoldView['hold']> {
    const { purchaseToken, request, signal } = options
    const headers = { 'purchase-token': purchaseToken }
    const call = { path: path`/sales/${sale}/holds`, headers, body: request, answer: holdView, signal }
    return this.#send({ method: 'POST', ...call, once: true }).then(({ hold }) => hold)
  }

  /** What the account holds and has not ordered. */
  holds(sale: string): Promise<HoldView['hold'][]> {
    const call = { path: path`/sales/${sale}/holds`, answer: holdList }
    return this.#send({ method: 'GET', ...call }).then(({ items }) => items)
  }

  /** Five minutes more, once; `already_extended` the second time. */
  extendHold(hold: string): Promise<HoldView['hold']> {
    const call = { path: path`/holds/${hold}/extend`, answer: holdView, once: true }
    return this.#send({ method: 'POST', ...call }).then((answer) => answer.hold)
  }

  releaseHold(hold: string): Promise<void> {
    return this.#send({ method: 'DELETE', path: path`/holds/${hold}`, doneCodes: ['hold_gone'] })
  }

  /** Orders what is held; asking again for the same hold gives the same order. `method` is needed where money is. */
  order(hold: string, options: Signalled & { method?: string | undefined } = {}): Promise<OrderMessage> {
    const { method, signal } = options
    const body = method === undefined ? { hold } : { hold, payment: { method } }
    return this.#order({ method: 'POST', path: '/orders', body, signal })
  }

  /** Hold and order in one call, in a sale where nothing is to be paid. */
  book(
    sale: string,
    options: Signalled & { purchaseToken: string; request: HoldRequest },
  ): Promise<OrderMessage> {
    const { purchaseToken, request, signal } = options
    const headers = { 'purchase-token': purchaseToken }
    const call = { path: path`/sales/${sale}/bookings`, headers, body: request, signal }
    return this.#order({ method: 'POST', ...call, once: true })
  }

  orders(query: { cursor?: string; limit?: number } = {}): Promise<OrderPage> {
    return this.#send({ method: 'GET', path: '/orders', query, answer: orderPage })
  }

  orderNow(order: string, options: Signalled = {}): Promise<OrderMessage> {
    return this.#order({ method: 'GET', path: path`/orders/${order}`, ...options })
  }

  /** The order once it is neither pending nor paying. Reads it ever more slowly, and at once when a notice comes. */
  orderOutcome(order: string, options: Signalled = {}): Promise<OrderMessage> {
    const [time, random] = [this.#time, this.#random]
    const mine$ = this.orderNotices$.pipe(filter((notice) => notice.order === order))
    return orderOutcome({ read: () => this.orderNow(order, options), mine$, time, random }, options.signal)
  }

  /** Ends an order, with its money back. */
  cancelOrder(order: string): Promise<OrderMessage> {
    return this.#order({ method: 'POST', path: path`/orders/${order}/cancel` })
  }

  /** Takes an ended order out of the history. */
  hideOrder(order: string): Promise<void> {
    return this.#send({ method: 'DELETE', path: path`/orders/${order}`, doneCodes: ['no_such_order'] })
  }

  ticket(booking: string): Promise<Ticket> {
    return this.#send({ method: 'GET', path: path`/bookings/${booking}/ticket`, answer: ticketMessage })
  }

  /** For organisers: lets the bearer of a ticket in, once. */
  checkIn(code: string): Promise<CheckedInBooking> {
    const call = { path: '/checkin', body: { code }, answer: checkinAnswer, once: true }
    return this.#send({ method: 'POST', ...call }).then(({ booking }) => booking)
  }

  /** For organisers: the tickets that scanners without a network must refuse. */
  revokedTickets(
    sale: string,
    query: { cursor?: string; limit?: number } = {},
  ): Promise<z.infer<typeof revokedPage>> {
    return this.#send({ method: 'GET', path: path`/sales/${sale}/revoked`, query, answer: revokedPage })
  }

  #liveParts(): Omit<WaitParts, 'join'> {
    const [time, random, policy] = [this.#time, this.#random, this.#policy]
    return { calls: this.#calls, socket: this.#socket, time, random, policy }
  }

  #noticesOf(): Observable<OrderNotice> {
    return reconnecting(() => this.#socket.channel('me'), this.#liveParts()).pipe(
      filter(({ type }) => type === 'order'),
      map(({ data }) => orderNotice.safeParse(data).data),
      filter((notice) => notice !== undefined),
      share(),
    )
  }

  #order(call: Omit<Call<unknown>, 'answer'>): Promise<OrderMessage> {
    return this.#send({ ...call, answer: orderAnswer }).then(({ order }) => order)
  }

  #send<T>(call: Call<T>): Promise<T> {
    return this.#calls.send({ ...call, path: `/api/v1${call.path}` })
  }
}
