import { signal } from '/vendor/signals.js'
import { toProblem } from '../live/problem.js'
import { heard, joined, pinsUnknown, positionOf, unknownRoom, withEarlier } from './room-state.js'

/** @import { ChatEntries, ChatEntry, ChatJoined } from '../../src/domain/chat/chat-messages.ts' */
/** @import { call } from '../live/calls.js' */
/** @import { LiveEvent } from '../live/event-stream.js' */
/** @import { Listening, ListenOptions } from '../live/live-link.js' */
/** @import { Problem } from '../live/problem.js' */
/** @import { RoomState } from './room-state.js' */

/**
 * Something said here that is not in the room yet.
 *
 * @typedef {object} Unsaid
 * @property {string} key by which it is sent, however often
 * @property {string} text
 * @property {number | undefined} replyTo
 * @property {number | undefined} seq once the server has it: it is seen in the room as soon as that is known up to here
 * @property {Problem | undefined} problem why it was not taken
 */

/** An answer to what is missing may take so long; then it is asked for again. */
const answerMaxMs = 3000

/** The room of a store as this page follows it, and what is said from here. */
export class RoomFeed {
  room = signal(/** @type {RoomState} */ (unknownRoom))
  unsaid = signal(/** @type {readonly Unsaid[]} */ ([]))
  /** Why nothing is heard of the room. */
  problem = signal(/** @type {Problem | undefined} */ (undefined))
  hasEarlier = signal(true)
  #path
  #ports
  /** @type {Listening | undefined} */
  #listening
  #askedAtMs = -Infinity
  /** Cursor of the next page of what was said before. @type {string | undefined} */
  #earlier

  /**
   * @param {string} storeId
   * @param {object} ports
   * @param {(ch: string, options: ListenOptions) => Listening} ports.listen
   * @param {typeof call} ports.call
   * @param {() => string} ports.newKey
   * @param {() => number} ports.nowMs
   */
  constructor(storeId, ports) {
    this.#path = `/stores/${storeId}/messages`
    this.#ports = ports
    this.storeId = storeId
    this.#listen()
  }

  /** Comes in again as somebody else: whoever only read has an account now. */
  rejoin() {
    this.#listening?.end()
    this.#listen()
  }

  end() {
    this.#listening?.end()
  }

  /** @param {string} name how the others see us from now on */
  beCalled(name) {
    this.#listening?.keepSaying({ name })
    const { me } = this.room.value
    if (me !== null) this.room.value = { ...this.room.value, me: { ...me, name } }
  }

  /** @param {string} text @param {number} [replyTo] */
  async say(text, replyTo) {
    /** @type {Unsaid} */
    const one = { key: this.#ports.newKey(), text, replyTo, seq: undefined, problem: undefined }
    this.unsaid.value = [...this.unsaid.value, one]
    await this.#send(one)
  }

  /** @param {Unsaid} one */
  async sayAgain(one) {
    this.#change(one.key, { problem: undefined })
    await this.#send(one)
  }

  /** @param {Unsaid} one */
  takeBack(one) {
    this.unsaid.value = this.unsaid.value.filter(({ key }) => key !== one.key)
  }

  /** Reads what was said before the first entry that is known. */
  async readEarlier() {
    const first = this.room.value.entries[0]?.seq ?? Infinity
    try {
      // The first pages may hold nothing but what is known: a page says itself where the next one begins.
      for (let isNew = false; !isNew && this.hasEarlier.value;) {
        const query = this.#earlier === undefined ? '' : `?cursor=${this.#earlier}`
        /** @type {{ items: readonly ChatEntry[], next: string | null }} */
        const { items, next } = await this.#ports.call(`${this.#path}${query}`)
        this.room.value = withEarlier(this.room.value, items)
        this.#earlier = next ?? undefined
        this.hasEarlier.value = next !== null
        isNew = items.some(({ seq }) => seq < first)
      }
    } catch (thrown) {
      this.problem.value = toProblem(thrown)
    }
  }

  #listen() {
    this.#listening = this.#ports.listen(`chat:${this.storeId}`, {
      since: () => positionOf(this.room.value),
      onEvent: (event) => this.#heard(event),
      onRefused: (problem) => (this.problem.value = problem),
    })
  }

  /** @param {Unsaid} one */
  async #send({ key, text, replyTo }) {
    try {
      /** @type {ChatEntry} */
      const { seq } = await this.#ports.call(this.#path, {
        method: 'POST',
        key,
        body: { text, ...(replyTo !== undefined && { replyTo }) },
      })
      this.#change(key, { seq })
      this.#dropSaid()
    } catch (thrown) {
      this.#change(key, { problem: toProblem(thrown) })
    }
  }

  /** @param {LiveEvent} event */
  #heard({ type, data }) {
    this.problem.value = undefined
    switch (type) {
      case 'joined': {
        const wasKnown = this.room.value.entries.length > 0
        this.room.value = joined(this.room.value, /** @type {ChatJoined} */ (data))
        if (!wasKnown) this.hasEarlier.value = (this.room.value.entries[0]?.seq ?? 1) > 1
        break
      }
      case 'entries': {
        const told = /** @type {ChatEntries} */ (data)
        const now = heard(this.room.value, told)
        if (now === undefined) return this.#askAgain()
        this.room.value = now
        // What is pinned may have been said long before: then the room is told of anew, with it.
        if (pinsUnknown(now, told)) this.#listening?.again()
        break
      }
      case 'presence':
        this.room.value = { ...this.room.value, .../** @type {{ members: number }} */ (data) }
        break
      case 'muted': {
        const { me } = this.room.value
        const { until } = /** @type {{ until: string }} */ (data)
        if (me !== null) this.room.value = { ...this.room.value, me: { ...me, mutedUntil: until } }
      }
    }
    this.#askedAtMs = -Infinity
    this.#dropSaid()
  }

  /** What was on its way already does not follow either, and is no reason to ask twice. */
  #askAgain() {
    const nowMs = this.#ports.nowMs()
    if (nowMs - this.#askedAtMs < answerMaxMs) return
    this.#askedAtMs = nowMs
    this.#listening?.again()
  }

  /** What is in the room now is not unsaid any more. */
  #dropSaid() {
    const { seq: known } = this.room.value
    const rest = this.unsaid.value.filter(({ seq }) => seq === undefined || seq > known)
    if (rest.length < this.unsaid.value.length) this.unsaid.value = rest
  }

  /** @param {string} key @param {Partial<Unsaid>} change */
  #change(key, change) {
    this.unsaid.value = this.unsaid.value.map((one) => (one.key === key ? { ...one, ...change } : one))
  }
}
