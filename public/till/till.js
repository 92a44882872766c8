import { toProblem } from '../live/problem.js'
import * as state from './till-state.js'

/** @import { OrderMessage } from '../../src/domain/orders/order-messages.ts' */
/** @import { HoldView } from '../../src/domain/units/unit-messages.ts' */
/** @import { call } from '../live/calls.js' */
/** @import { Problem } from '../live/problem.js' */
/** @import { TillState } from './till-state.js' */

/**
 * @typedef {object} TillPorts
 * @property {typeof call} call
 * @property {() => string} newKey
 * @property {(ms: number, signal?: AbortSignal) => Promise<void>} pause
 * @property {{ value: TillState }} store
 * @property {() => string | undefined} token the purchase token of now
 * @property {() => void} onAdmissionOver
 * @property {(code: string) => number} leftOf free places of a unit
 */

/** An order is looked at so often while its outcome is open; the channel `me` only hurries. */
const lookMs = 2000

/** Codes that say that this buyer is not inside (any more). */
const overCodes = new Set([
  'admission_over',
  'purchase_token_expired',
  'purchase_token_invalid',
  'purchase_token_foreign',
])

/** What a buyer does in one sale, from choosing to the ticket. */
export class Till {
  #saleId
  #ports
  #over = new AbortController()
  #look = new AbortController()
  #isFollowing = false
  /** What was asked last without our learning what came of it. @type {{ text: string, key: string } | undefined} */
  #unheard

  /** @param {string} saleId @param {TillPorts} ports */
  constructor(saleId, ports) {
    this.#saleId = saleId
    this.#ports = ports
  }

  /** Finds what was there before the page was loaded, and goes on with it. */
  async resume() {
    await this.readHolds()
    try {
      /** @type {{ items: OrderMessage[] }} */
      const { items } = await this.#ports.call('/orders?limit=100')
      this.#change((now) =>
        state.ordersRead(
          now,
          items.filter(({ sale }) => sale === this.#saleId),
        ),
      )
    } catch {
      // Whoever has no account has ordered nothing; else the limit is the server's to hold.
      this.#change((now) => state.ordersRead(now, []))
    }
    void this.#follow()
  }

  /** Holds all that is chosen, or nothing. Asked twice at once it holds once. */
  async hold() {
    const { chosen, isTaking } = this.#ports.store.value
    if (isTaking || chosen.size === 0) return
    await this.#take({ units: [...chosen].map(([unit, quantity]) => ({ unit, quantity })) })
  }

  /** Lets the server choose. @param {{ count: number, priceClass?: string, section?: string }} best */
  async holdBest(best) {
    if (!this.#ports.store.value.isTaking) await this.#take({ best })
  }

  /** In a sale that is free: all that is chosen is booked at once. */
  async book() {
    const { chosen, isTaking } = this.#ports.store.value
    if (isTaking || chosen.size === 0) return
    const units = [...chosen].map(([unit, quantity]) => ({ unit, quantity }))
    await this.#ask('bookings', { units }, (/** @type {{ order: OrderMessage }} */ { order }) =>
      this.#change((now) => state.ordered(now, { order })),
    )
  }

  /** @param {string} holdId @param {string} [method] how it is paid; none where it costs nothing */
  async order(holdId, method) {
    await this.#work(holdId, 'ordering', async () => {
      const payment = method === undefined ? {} : { payment: { method } }
      // An order is named by its hold: asking again is asking for the same one.
      /** @type {{ order: OrderMessage }} */
      const { order } = await this.#ports.call('/orders', {
        method: 'POST',
        repeatable: true,
        body: { hold: holdId, ...payment },
      })
      this.#change((now) => state.ordered(now, { order, holdId }))
      void this.#follow()
    })
  }

  /** @param {string} holdId */
  async extend(holdId) {
    await this.#work(holdId, 'extending', async () => {
      /** @type {HoldView} */
      const { hold } = await this.#ports.call(`/holds/${holdId}/extend`, {
        method: 'POST',
        key: this.#ports.newKey(),
      })
      this.#change((now) => state.withHold({ ...now, news: { code: 'hold_extended', units: [] } }, hold))
    })
  }

  /** @param {string} holdId */
  async release(holdId) {
    await this.#work(holdId, 'releasing', async () => {
      await this.#ports.call(`/holds/${holdId}`, { method: 'DELETE' })
      this.#change((now) => state.withoutHold(now, holdId, 'released'))
    })
  }

  /** What the server says is held is held. */
  async readHolds() {
    try {
      /** @type {{ items: HoldView['hold'][] }} */
      const { items } = await this.#ports.call(`/sales/${this.#saleId}/holds`, { signal: this.#over.signal })
      this.#change((now) => state.holdsRead(now, items))
    } catch {
      // Asked again when a hold should have ended, or something is wrong with one.
    }
  }

  /** Something happened to an order: look now. */
  lookNow() {
    this.#look.abort()
  }

  /** @param {(now: TillState) => TillState} change */
  change(change) {
    this.#change(change)
  }

  end() {
    this.#over.abort()
    this.#look.abort()
  }

  /** @param {object} body */
  async #take(body) {
    await this.#ask('holds', body, (/** @type {HoldView} */ { hold }) =>
      this.#change((now) => state.taken(now, hold)),
    )
  }

  /**
   * @template T
   * @param {'holds' | 'bookings'} what
   * @param {object} body
   * @param {(answer: T) => void} onDone
   */
  async #ask(what, body, onDone) {
    const token = this.#ports.token()
    if (token === undefined) return
    this.#change(state.taking)
    // The same intent keeps its key, however often it has to be repeated, by us or by the buyer.
    const text = JSON.stringify([what, body])
    const key = this.#unheard?.text === text ? this.#unheard.key : this.#ports.newKey()
    this.#unheard = { text, key }
    try {
      /** @type {T} */
      const answer = await this.#ports.call(`/sales/${this.#saleId}/${what}`, {
        method: 'POST',
        headers: { 'purchase-token': token },
        key,
        body,
      })
      this.#unheard = undefined
      onDone(answer)
    } catch (thrown) {
      const problem = this.#note(thrown)
      this.#change((now) => state.notTaken(now, newsOf(problem)))
      // Nobody knows whether it was done: the server does.
      if (problem.isPassing) await this.resume()
      else this.#unheard = undefined
      this.#change((now) => state.withoutTaken(now, this.#ports.leftOf))
    }
  }

  /**
   * One thing at a time for each hold.
   * @param {string} holdId
   * @param {'ordering' | 'extending' | 'releasing'} busy
   * @param {() => Promise<void>} work
   */
  async #work(holdId, busy, work) {
    const hold = this.#ports.store.value.holds.find(({ id }) => id === holdId)
    if (hold === undefined || hold.busy !== '') return
    this.#change((now) => state.busyWith(now, holdId, busy))
    try {
      await work()
    } catch (thrown) {
      const problem = this.#note(thrown)
      if (problem.code === 'hold_gone')
        return this.#change((now) => state.withoutHold(now, holdId, 'hold_ended'))
      if (goneWithOrder.has(problem.code))
        return this.#change((now) => state.withoutHold(now, holdId, problem.code))
      this.#change((now) => ({ ...state.busyWith(now, holdId, ''), news: newsOf(problem) }))
      await this.resume()
    }
  }

  /** @param {unknown} thrown */
  #note(thrown) {
    const problem = toProblem(thrown)
    if (overCodes.has(problem.code)) this.#ports.onAdmissionOver()
    return problem
  }

  /** Looks at unfinished orders until there are none. */
  async #follow() {
    if (this.#isFollowing) return
    this.#isFollowing = true
    while (!this.#over.signal.aborted) {
      const open = this.#ports.store.value.orders.filter(state.isUnfinished)
      if (open.length === 0) break
      // Made before looking, so that what is told during the look is not lost.
      this.#look = new AbortController()
      await Promise.all(open.map(({ id }) => this.#lookAt(id)))
      if (!this.#look.signal.aborted) await this.#ports.pause(lookMs, this.#look.signal)
    }
    this.#isFollowing = false
  }

  /** @param {string} orderId */
  async #lookAt(orderId) {
    try {
      /** @type {{ order: OrderMessage }} */
      const { order } = await this.#ports.call(`/orders/${orderId}`, { signal: this.#over.signal })
      this.#change((now) => state.withOrder(now, order))
    } catch {
      // Looked at again in a moment.
    }
  }

  /** @param {(now: TillState) => TillState} change */
  #change(change) {
    if (this.#over.signal.aborted) return
    this.#ports.store.value = change(this.#ports.store.value)
  }
}

/** The order was refused, and what was held for it is given back. */
const goneWithOrder = new Set(['unit_taken', 'already_booked', 'store_limit_reached'])

/** @param {Problem} problem */
function newsOf({ code, document }) {
  const { units, unit, nearest } = document
  const about = Array.isArray(units) ? units.map(String) : typeof unit === 'string' ? [unit] : []
  return {
    code,
    units: about,
    ...(Array.isArray(nearest) && {
      nearest: nearest.map((/** @type {{ unit: string }} */ slot) => slot.unit),
    }),
  }
}
