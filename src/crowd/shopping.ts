import { ApiError, isCode } from '../client/api-error.ts'
import type { HoldRequest } from '../client/openrun-client.ts'
import { isOpen } from '../client/order-outcome.ts'
import type { OrderMessage } from '../domain/orders/order-messages.ts'
import { reasonOf, type BuyerParts } from './buyer.ts'
import type { PaymentMethod } from './buyer-plan.ts'
import type { Outcome } from './journal.ts'
import { namesInTicketCode } from './token-reading.ts'

export interface ShoppingParts extends BuyerParts {
  readonly purchaseToken: string
}

/** What an attempt came to; `undefined`: choose again. */
type Attempt = Outcome | undefined

/** Longer than the providers' time limits, shorter than anybody would look at a spinning wheel. */
const outcomeWaitMs = 45_000

/** What an admitted buyer does with its token: looks, chooses, holds, orders, pays, fetches the ticket. */
export class Shopping {
  readonly #parts: ShoppingParts
  #method: PaymentMethod
  #count: number
  #isRefused = false
  #firstHold: BuyerParts['plan']['firstHold']

  constructor(parts: ShoppingParts) {
    this.#parts = parts
    this.#method = parts.plan.method
    this.#firstHold = parts.plan.firstHold
    const { kind, sale } = parts.offer
    this.#count = kind === 'slots' ? 1 : Math.min(parts.plan.count, sale.queue.maxPerAccount)
  }

  async run(): Promise<Outcome> {
    const { plan, signal } = this.#parts
    for (let number = 0; number < plan.tries; number++) {
      await this.#pause()
      if (signal.aborted) return 'out-of-time'
      const outcome = await this.#try().catch((error: unknown) => this.#refused(error))
      if (outcome !== undefined) return outcome
    }
    return 'gave-up'
  }

  async #try(): Promise<Attempt> {
    const { offer, plan, client, purchaseToken, signal } = this.#parts
    const request = this.#choice()
    if (offer.isFree && plan.booksInOneCall && this.#firstHold === 'order') {
      return await this.#order(this.#count, () =>
        client.book(offer.sale.id, { purchaseToken, request, signal }),
      )
    }
    const hold = await this.#hold(request)
    const decision = this.#firstHold
    this.#firstHold = 'order'
    if (decision === 'abandon') return 'abandoned'
    await this.#pause()
    if (decision === 'release') {
      await client.releaseHold(hold.id)
      return undefined
    }
    const places = hold.units.reduce((sum, { quantity }) => sum + quantity, 0)
    const options = offer.isFree ? { signal } : { method: this.#method, signal }
    return await this.#order(places, () => client.order(hold.id, options))
  }

  async #hold(request: HoldRequest) {
    const { client, offer, purchaseToken, time, note, signal } = this.#parts
    const sentMs = time.nowMs()
    const hold = await client.hold(offer.sale.id, { purchaseToken, request, signal })
    note({ type: 'held', units: hold.units.map(({ unit }) => unit), tookMs: time.nowMs() - sentMs })
    return hold
  }

  async #order(places: number, send: () => Promise<OrderMessage>): Promise<Attempt> {
    const { time, note, client, signal } = this.#parts
    const sentMs = time.nowMs()
    note({ type: 'order-sent', places })
    const order = await send()
    note({ type: 'order-said', order: order.id, status: order.status })
    const outcome = isOpen(order) ? await this.#outcomeOf(order.id) : order
    if (isOpen(outcome)) return 'unsure'
    if (outcome !== order) note({ type: 'order-said', order: outcome.id, status: outcome.status })
    const isBooked = outcome.status === 'booked'
    note({ type: 'order-decided', places, isBooked, tookMs: time.nowMs() - sentMs })
    if (isBooked) {
      await fetchTicket({ client, note }, outcome)
      return 'bought'
    }
    // Another card, or none.
    this.#method = 'sandbox_approve'
    return signal.aborted ? 'out-of-time' : undefined
  }

  async #outcomeOf(order: string): Promise<OrderMessage> {
    const { client, time, signal } = this.#parts
    const [enough, decided] = [new AbortController(), new AbortController()]
    const stop = (): void => enough.abort()
    signal.addEventListener('abort', stop, { once: true })
    void time.wait(outcomeWaitMs, decided.signal).then(stop)
    try {
      return await client.orderOutcome(order, { signal: enough.signal })
    } catch (error) {
      if (enough.signal.aborted) return await client.orderNow(order)
      throw error
    } finally {
      decided.abort()
      signal.removeEventListener('abort', stop)
    }
  }

  #choice(): HoldRequest {
    const { offer, plan, random } = this.#parts
    // Whoever was refused takes what there is.
    if (this.#isRefused) return { best: { count: this.#count } }
    if (offer.kind === 'slots') return { units: [{ unit: oneOf(offer.codes, random), quantity: 1 }] }
    if (plan.chooses === 'best') return { best: { count: this.#count } }
    const chosen = new Set(Array.from({ length: this.#count }, () => oneOf(offer.codes, random)))
    return { units: [...chosen].map((unit) => ({ unit })) }
  }

  #refused(error: unknown): Attempt {
    const { note, signal } = this.#parts
    if (signal.aborted) return 'out-of-time'
    if (!(error instanceof ApiError)) throw error
    note({ type: 'hold-refused', code: error.code })
    if (isCode(error, 'unit_taken', 'none_together', 'fully_booked', 'already_booked', 'already_held')) {
      // Nothing together for so many: perhaps for fewer.
      if (this.#isRefused) this.#count = Math.max(1, this.#count - 1)
      this.#isRefused = true
      return undefined
    }
    // Of an order that was being saved and could not be: nothing was booked.
    if (isCode(error, 'hold_gone', 'no_such_order')) return undefined
    if (isCode(error, 'sale_closed')) return 'closed'
    if (isCode(error, 'limit_reached', 'store_limit_reached')) return 'gave-up'
    if (isCode(error, 'admission_over', 'purchase_token_expired')) return 'too-late'
    note({ type: 'failed', call: 'buying', why: reasonOf(error) })
    return 'failed'
  }

  #pause(): Promise<void> {
    const { time, plan, random, signal } = this.#parts
    return time.wait(plan.pauseMs * (0.5 + random()), signal)
  }
}

/** Fetches the ticket of an order's first booking, and looks whether it is for that seat. */
export async function fetchTicket(
  { client, note }: Pick<BuyerParts, 'client' | 'note'>,
  order: OrderMessage,
): Promise<void> {
  const booking = order.bookings.find(({ status }) => status === 'booked')
  if (booking === undefined) return
  try {
    const ticket = await client.ticket(booking.id)
    const names = namesInTicketCode(ticket.code)
    const isRight = names.booking === booking.id && names.unit === booking.unit
    note({ type: 'ticket', order: order.id, booking: booking.id, isRight })
  } catch (error) {
    note({ type: 'failed', call: 'ticket', why: reasonOf(error) })
  }
}

function oneOf(codes: readonly string[], random: () => number): string {
  return codes[Math.floor(random() * codes.length)] ?? ''
}
