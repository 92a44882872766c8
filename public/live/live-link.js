/** @import { LiveEvent } from './event-stream.js' */
/** @import { Problem } from './problem.js' */
/** @import { Timers, Wire, WireEvents } from './wire.js' */
import { backOffMs } from './back-off.js'

/**
 * The states of a connection.
 *
 * idle       nobody listens
 * connecting the first attempt is under way
 * open       what is heard is what is
 * lost       was open, or never came to be; attempts go on, the next at `nextTryAtMs`
 * refused    the server does not want us back before somebody does something about it
 *
 * @typedef {object} Connection
 * @property {'idle' | 'connecting' | 'open' | 'lost' | 'refused'} state
 * @property {'socket' | 'streams'} via
 * @property {number} heardAtMs when something was heard last, by our clock; what the page shows is as old as that
 * @property {number} nextTryAtMs
 */

/**
 * @typedef {object} ListenOptions
 * @property {(event: LiveEvent) => void} onEvent
 * @property {() => string | undefined} [since] asked at each beginning: resume after this id
 * @property {() => void} [onTaken] the server has (again) taken the subscription; what follows is up to date
 * @property {(problem: Problem) => void} [onRefused] nothing will be heard: no such sale, not allowed
 *
 * @typedef {object} Listening
 * @property {() => void} again begins anew after `since`: something is missing
 * @property {(data: unknown) => void} keepSaying said to the channel now and after each reconnection, until replaced
 * @property {() => void} end
 *
 * @typedef {ListenOptions & { said?: unknown, attempts: number }} Channel
 */

/**
 * @typedef {object} LinkPorts
 * @property {Timers} timers
 * @property {() => number} random
 * @property {(kind: 'socket' | 'streams', events: WireEvents) => Wire} wire
 * @property {() => Promise<void>} renewAccount called when the server does not know who we are
 * @property {() => Promise<boolean>} isReachable whether the server answers an ordinary request
 * @property {(connection: Connection) => void} onChange
 */

/**
 * The one live connection of a page, for all its channels. It comes back by itself, for as long as it takes, and every
 * channel goes on where it was. A network that lets no WebSocket through gets streams.
 */
export class LiveLink {
  #ports
  /** @type {Map<string, Channel>} */
  #channels = new Map()
  /** @type {Wire | undefined} */
  #wire
  #isOpen = false
  #attempts = 0
  /** WebSockets in a row that did not open although the server could be reached. */
  #blocked = 0
  /** @type {Connection} */
  #connection = { state: 'idle', via: 'socket', heardAtMs: 0, nextTryAtMs: 0 }
  #callOff = () => {}

  /** @param {LinkPorts} ports */
  constructor(ports) {
    this.#ports = ports
  }

  get connection() {
    return this.#connection
  }

  /** A channel has one listener at a time. @param {string} ch @param {ListenOptions} options @returns {Listening} */
  listen(ch, options) {
    if (this.#channels.has(ch)) throw new Error(`${ch} is listened to already`)
    /** @type {Channel} */
    const channel = { ...options, attempts: 0 }
    this.#channels.set(ch, channel)
    if (this.#isOpen) this.#begin(ch, channel)
    else if (this.#wire === undefined && this.#connection.state !== 'lost') this.#connect()
    return {
      again: () => {
        if (this.#isOpen && this.#isCurrent(ch, channel)) this.#begin(ch, channel)
      },
      keepSaying: (data) => {
        channel.said = data
        if (this.#isOpen && this.#isCurrent(ch, channel)) this.#wire?.say(ch, data)
      },
      end: () => this.#leave(ch, channel),
    }
  }

  /** Somebody came back to the page, or the network did: whatever was waited for is done at once. */
  wake() {
    if (this.#connection.state === 'lost' || this.#connection.state === 'refused') this.#connect()
    else this.#wire?.check()
  }

  #connect() {
    this.#callOff()
    this.#drop()
    if (this.#channels.size === 0) return
    const via = this.#blocked >= 2 ? 'streams' : 'socket'
    const { state } = this.#connection
    this.#change({
      via,
      state: state === 'idle' || state === 'refused' ? 'connecting' : state,
      nextTryAtMs: 0,
    })
    const ifCurrent = (/** @type {() => void} */ work) => {
      if (this.#wire === wire) work()
    }
    const wire = this.#ports.wire(via, {
      onOpen: () => ifCurrent(() => this.#opened()),
      onTaken: (ch) => ifCurrent(() => this.#taken(ch)),
      onEvent: (ch, event) => ifCurrent(() => this.#heard(ch, event)),
      onRefused: (ch, problem) => ifCurrent(() => void this.#refused(ch, problem)),
      onClosed: (end) => ifCurrent(() => this.#closed(end)),
    })
    this.#wire = wire
  }

  #opened() {
    this.#isOpen = true
    for (const [ch, channel] of this.#channels) this.#begin(ch, channel)
  }

  /** @param {string} ch @param {Channel} channel */
  #begin(ch, channel) {
    this.#wire?.subscribe(ch, { since: channel.since?.(), said: channel.said })
  }

  /** @param {string} ch */
  #taken(ch) {
    const channel = this.#channels.get(ch)
    this.#attempts = 0
    if (this.#connection.via === 'socket') this.#blocked = 0
    if (channel !== undefined) channel.attempts = 0
    this.#change({ state: 'open', heardAtMs: this.#ports.timers.nowMs() })
    channel?.onTaken?.()
  }

  /** @param {string} ch @param {LiveEvent} event */
  #heard(ch, event) {
    this.#connection = { ...this.#connection, heardAtMs: this.#ports.timers.nowMs() }
    this.#channels.get(ch)?.onEvent(event)
  }

  /** @param {string} ch @param {Problem} problem */
  async #refused(ch, problem) {
    const channel = this.#channels.get(ch)
    if (channel === undefined) return
    channel.attempts++
    if (problem.code === 'unauthenticated' && channel.attempts <= 2) return await this.#renew()
    if (!problem.isPassing) {
      this.#channels.delete(ch)
      return channel.onRefused?.(problem)
    }
    const pauseMs = Math.max(
      problem.retryAfterSeconds * 1000,
      backOffMs(channel.attempts, this.#ports.random),
    )
    this.#ports.timers.after(() => {
      if (this.#isOpen && this.#isCurrent(ch, channel)) this.#begin(ch, channel)
    }, pauseMs)
  }

  /** Who we are is asked when a connection opens, so there has to be a new one. */
  async #renew() {
    this.#drop()
    try {
      await this.#ports.renewAccount()
      this.#connect()
    } catch {
      this.#tryLater()
    }
  }

  /** @param {{ isFinal: boolean, wasOpen: boolean }} end */
  #closed({ isFinal, wasOpen }) {
    const { via } = this.#connection
    this.#drop()
    if (isFinal) return this.#change({ state: 'refused' })
    this.#tryLater()
    if (via === 'streams') this.#blocked = 0
    else if (!wasOpen) void this.#noteWhetherBlocked()
  }

  /** While nothing gets through at all, a WebSocket that does not open says nothing about WebSockets. */
  async #noteWhetherBlocked() {
    this.#blocked = (await this.#ports.isReachable()) ? this.#blocked + 1 : 0
  }

  #tryLater() {
    this.#attempts++
    const { timers, random } = this.#ports
    const pauseMs = backOffMs(this.#attempts, random)
    this.#callOff = timers.after(() => this.#connect(), pauseMs)
    this.#change({ state: 'lost', nextTryAtMs: timers.nowMs() + pauseMs })
  }

  #drop() {
    this.#isOpen = false
    this.#wire?.close()
    this.#wire = undefined
  }

  /** @param {string} ch @param {Channel} channel */
  #leave(ch, channel) {
    if (!this.#isCurrent(ch, channel)) return
    this.#channels.delete(ch)
    if (this.#channels.size > 0) {
      if (this.#isOpen) this.#wire?.unsubscribe(ch)
      return
    }
    this.#callOff()
    this.#drop()
    this.#change({ state: 'idle' })
  }

  /** @param {string} ch @param {Channel} channel */
  #isCurrent(ch, channel) {
    return this.#channels.get(ch) === channel
  }

  /** @param {Partial<Connection>} change */
  #change(change) {
    this.#connection = { ...this.#connection, ...change }
    this.#ports.onChange(this.#connection)
  }
}
