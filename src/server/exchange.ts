import type { HttpResponse } from 'uWebSockets.js'
import type { Problem } from '../errors.ts'
import { idFrom, type IdKind, type Ids } from '../ids.ts'
import { callerId, type Caller } from './caller.ts'
import { clientAddress } from './client-address.ts'
import type { EndpointPlan } from './endpoint-plan.ts'
import { encodeProblem, encodeReply, isTagHeld, writeAnswer, type Answer } from './http-answer.ts'
import type { RequestHead } from './request-head.ts'
import type { Reply, RequestContext } from './route.ts'

export interface ExchangeParts {
  readonly plan: EndpointPlan
  readonly head: RequestHead
  readonly res: HttpResponse
  readonly ids: Ids
  readonly trustedHops: number
  readonly corsOrigin: string
  readonly startedAtMs: number
  readonly nowMs: () => number
  readonly isClosing: () => boolean
}

/**
 * One request and its answer. States:
 * - open: the client waits; `#res` may be used;
 * - answered, taken (by a stream) or gone: `#res` is undefined and never touched again. Late answers vanish.
 */
export class Exchange implements RequestContext {
  caller: Caller | undefined
  params: unknown
  query: unknown
  headers: unknown
  body: unknown
  /** Called once when the client goes away or the time is up. */
  onGone: (() => void) | undefined
  readonly #parts: ExchangeParts
  #res: HttpResponse | undefined
  #controller: AbortController | undefined
  #isGone = false
  #address: string | undefined

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.#res = parts.res
  }

  get plan(): EndpointPlan {
    return this.#parts.plan
  }

  get head(): RequestHead {
    return this.#parts.head
  }

  get traceId(): string {
    return this.#parts.head.traceId
  }

  get startedAtMs(): number {
    return this.#parts.startedAtMs
  }

  get isOpen(): boolean {
    return this.#res !== undefined
  }

  /** Made on demand: most handlers are done before anybody could go away. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#isGone) this.#controller.abort()
    return this.#controller.signal
  }

  get address(): string {
    this.#address ??= this.#res ? this.#readAddress(this.#res) : 'unknown'
    return this.#address
  }

  get isRepeatable(): boolean {
    return this.#parts.head.idempotencyKey !== ''
  }

  get newId(): (kind: IdKind) => string {
    const { ids, head, plan } = this.#parts
    const { caller } = this
    if (head.idempotencyKey === '' || !caller) return (kind) => ids.next(kind)
    return (kind) => idFrom(kind, callerId(caller), plan.label, head.idempotencyKey)
  }

  reply(reply: Reply): void {
    const etag = reply.headers?.['etag']
    const { ifNoneMatch } = this.#parts.head
    if (
      typeof etag === 'string' &&
      ifNoneMatch !== '' &&
      reply.status === 200 &&
      isTagHeld(ifNoneMatch, etag)
    ) {
      this.#write({ status: 304, contentType: '', body: '', headers: reply.headers })
    } else {
      this.#write(encodeReply(reply))
    }
  }

  fail(problem: Problem, headers?: Reply['headers']): void {
    this.#write(encodeProblem(problem, this.traceId, headers))
  }

  /** Answers that time is up and lets the handler know; what it answers later is not sent. */
  expire(problem: Problem): void {
    this.fail(problem)
    this.#leave()
  }

  /** The client went away: the web server has taken the response back. */
  abort(): void {
    if (this.#res) this.#parts.plan.meter.record(clientClosed, this.#parts.nowMs() - this.startedAtMs)
    this.#res = undefined
    this.#leave()
  }

  /** Hands the response over to a stream, with what it needs to write a head; undefined when nobody waits any more. */
  takeResponse(): { readonly res: HttpResponse; readonly corsOrigin: string } | undefined {
    const res = this.#res
    // The address can be read from an open response only, and a stream may ask for it at any time.
    if (res) this.#address ??= this.#readAddress(res)
    this.#res = undefined
    return res && { res, corsOrigin: this.#parts.corsOrigin }
  }

  #leave(): void {
    this.#isGone = true
    this.#controller?.abort()
    this.onGone?.()
  }

  #write(answer: Answer): void {
    const res = this.#res
    if (!res) return
    this.#res = undefined
    const { head, plan, corsOrigin, startedAtMs, nowMs, isClosing } = this.#parts
    writeAnswer(res, answer, {
      traceId: head.traceId,
      corsOrigin,
      isHead: head.isHead,
      closesConnection: isClosing(),
    })
    plan.meter.record(answer.status, nowMs() - startedAtMs)
  }

  #readAddress(res: HttpResponse): string {
    const socketAddress = Buffer.from(res.getRemoteAddressAsText()).toString('latin1')
    return clientAddress({
      socketAddress,
      forwardedFor: this.#parts.head.forwardedFor,
      trustedHops: this.#parts.trustedHops,
    })
  }
}

/** How a request is counted whose client did not wait for the answer; the number is never sent. */
const clientClosed = 499
