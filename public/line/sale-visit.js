import { computed, signal } from '/vendor/signals.js'
import { haveAccount, hasAccount } from '../live/account.js'
import { call, pause } from '../live/calls.js'
import { keep, kept } from '../live/kept.js'
import { live } from '../live/live.js'
import { toProblem } from '../live/problem.js'
import { serverNow } from '../live/server-clock.js'
import { firstState, isOpenAt, nextState } from './line-state.js'

/** @import { QueueEvent, QueueJoined } from '../../src/domain/queue/queue-messages.ts' */
/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */
/** @import { Listening } from '../live/live-link.js' */
/** @import { Before, LineEvent, Start } from './line-state.js' */

/**
 * What this browser keeps of a place: the queue ticket brings it back should the server ever lose it.
 * @typedef {{ ticket?: string | undefined, before?: Before, start?: Start | undefined }} KeptPlace
 */

/** A buyer at one sale: asks the server, listens to it, and keeps `state`. Everything may happen more than once. */
export class SaleVisit {
  #saleId
  #state
  /** @type {Listening | undefined} */
  #listening
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #openingTimer

  /** @param {string} saleId */
  constructor(saleId) {
    this.#saleId = saleId
    this.#state = signal(firstState(this.#kept.start))
    this.state = computed(() => this.#state.value)
  }

  /** Reads the sale and, if this browser may have a place in it, where that is. */
  async begin() {
    await this.readSale()
    const { place } = this.#state.value
    if (place.at !== 'loading') return
    // A guest account only for those who want something.
    if (hasAccount() || this.#kept.ticket !== undefined) this.#listen()
    else this.#note({ type: 'stranger' })
  }

  async readSale() {
    try {
      /** @type {SaleView} */
      const sale = await call(`/sales/${encodeURIComponent(this.#saleId)}`, { withinMs: 60_000 })
      this.#note({ type: 'sale', sale })
      this.#joinAtOpening()
    } catch (thrown) {
      if (toProblem(thrown).status === 404) this.#note({ type: 'missing' })
      else await pause(2000).then(() => this.readSale())
    }
  }

  /** The buyer wants a place. Before the opening of a sale with a line this is remembered until then. */
  async join() {
    const { sale } = this.#state.value
    if (sale === undefined) return
    if (sale.queue.mode === 'fifo' && !isOpenAt(sale, serverNow())) {
      this.#note({ type: 'ready', isReady: true })
      return this.#joinAtOpening()
    }
    this.#note({ type: 'join' })
    await this.#askForPlace()
  }

  notReady() {
    clearTimeout(this.#openingTimer)
    this.#note({ type: 'ready', isReady: false })
  }

  /** Gives the place, or the right to buy, back. Throws the Problem. */
  async leave() {
    this.#note({ type: 'leave' })
    try {
      await call(this.#path('/queue/me'), { method: 'DELETE' })
    } catch (thrown) {
      if (toProblem(thrown).code !== 'not_in_line') {
        this.lookAgain()
        throw thrown
      }
    }
    this.#keep({})
    this.#note({ type: 'left' })
  }

  /** Something says that we are not where we think: the server is asked. */
  lookAgain() {
    this.#note({ type: 'unsure' })
    this.#listening?.end()
    this.#listening = undefined
    this.#listen()
  }

  /** The till has nothing to show any more. */
  finish() {
    this.#note({ type: 'finished' })
  }

  #listen() {
    this.#listening ??= live.listen(`queue:${this.#saleId}`, {
      onEvent: ({ type, data }) => this.#told(/** @type {QueueEvent} */ ({ type, data })),
      onRefused: (problem) => {
        this.#listening = undefined
        if (problem.code === 'sale_closed') this.#told({ type: 'closed', data: {} })
        else if (problem.status === 404) this.#note({ type: 'missing' })
        else this.#note({ type: 'stranger' })
      },
    })
  }

  /** @param {QueueEvent} event */
  #told(event) {
    const { ticket, before } = this.#kept
    this.#note({ type: 'told', event, atMs: Date.now(), before })
    const { place, start } = this.#state.value
    if (place.at === 'joining') void this.#askForPlace()
    else if (place.at === 'admitted') this.#keep({ ticket, before: 'admitted' })
    else if (place.at === 'waiting' || place.at === 'aside' || place.at === 'entered')
      this.#keep({ ticket, before: 'waiting', start })
    else if (place.at !== 'loading' && place.at !== 'leaving') this.#keep({})
  }

  /** Asks until there is an answer: a line that is being put back, or a server that is replaced, takes its time. */
  async #askForPlace() {
    const { ticket, start } = this.#kept
    try {
      await haveAccount()
      const joined = await this.#post(ticket)
      this.#keep({
        ticket: joined.ticket,
        before: joined.state === 'admitted' ? 'admitted' : 'waiting',
        start,
      })
      this.#note({ type: 'joined', data: joined, atMs: Date.now() })
      this.#listen()
    } catch (thrown) {
      this.#note({ type: 'refused', problem: toProblem(thrown) })
    }
  }

  /** @param {string | undefined} ticket @returns {Promise<QueueJoined>} */
  async #post(ticket) {
    for (;;) {
      try {
        const body = ticket === undefined ? {} : { ticket }
        return await call(this.#path('/queue'), { method: 'POST', body, repeatable: true, withinMs: 120_000 })
      } catch (thrown) {
        const { code } = toProblem(thrown)
        // Of another account, or of a server that is no more.
        if (code === 'queue_ticket_invalid' && ticket !== undefined) ticket = undefined
        // The clocks differ by the blink of an eye.
        else if (code === 'not_open_yet' && this.#isDue()) await pause(200 + 300 * Math.random())
        else throw thrown
      }
    }
  }

  #isDue() {
    const { sale } = this.#state.value
    return sale !== undefined && Date.parse(sale.opensAt) - serverNow() < 1000
  }

  #joinAtOpening() {
    const { sale } = this.#state.value
    clearTimeout(this.#openingTimer)
    if (sale?.status !== 'scheduled') return
    // A timer cannot be set for longer than 24 days; nobody waits on a page for so long.
    const inMs = Math.min(Date.parse(sale.opensAt) - serverNow(), 2 ** 31 - 1)
    this.#openingTimer = setTimeout(() => void this.#opened(), Math.max(0, inMs))
  }

  async #opened() {
    const { place } = this.#state.value
    if (place.at === 'outside' && place.isReady) return await this.join()
    // The state of the sale follows its time by a moment.
    await pause(1000 + 1000 * Math.random())
    await this.readSale()
  }

  /** @param {LineEvent} event */
  #note(event) {
    this.#state.value = nextState(this.#state.value, event)
  }

  get #kept() {
    return /** @type {KeptPlace} */ (kept(`place.${this.#saleId}`) ?? {})
  }

  /** @param {KeptPlace} place */
  #keep(place) {
    keep(`place.${this.#saleId}`, Object.keys(place).length === 0 ? undefined : place)
  }

  /** @param {string} rest */
  #path(rest) {
    return `/sales/${encodeURIComponent(this.#saleId)}${rest}`
  }
}
