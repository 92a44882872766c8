/** @import { Beginning, Timers, Wire, WireEvents } from './wire.js' */
import { Problem } from './problem.js'

/**
 * One WebSocket for all channels. A browser does not show the pings of the server to a page, so when nothing was heard
 * for a while the page asks: subscribing to what one has is answered and changes nothing.
 * @implements {Wire}
 */
export class SocketWire {
  #events
  #timers
  #socket
  #wasOpen = false
  #isOver = false
  /** @type {Set<string>} */
  #channels = new Set()
  #nextRef = 1
  /** What was asked and is not answered yet. @type {Map<number, string>} */
  #asked = new Map()
  #stopSilence = () => {}

  /**
   * @param {WireEvents} events
   * @param {{ timers: Timers, open: () => WebSocket }} ports
   */
  constructor(events, { timers, open }) {
    this.#events = events
    this.#timers = timers
    this.#socket = open()
    this.#socket.onopen = () => this.#opened()
    this.#socket.onmessage = ({ data }) => this.#heard(String(data))
    this.#socket.onclose = ({ code }) => this.#end(code >= 4500 && code < 5000)
    this.#listenIn(openMaxMs, () => this.#end(false))
  }

  /** @param {string} ch @param {Beginning} how */
  subscribe(ch, { since, said }) {
    this.#channels.add(ch)
    const ref = this.#nextRef++
    this.#asked.set(ref, ch)
    this.#send({ op: 'subscribe', ch, ref, ...(since !== undefined && { since }) })
    if (said !== undefined) this.say(ch, said)
  }

  /** @param {string} ch */
  unsubscribe(ch) {
    this.#channels.delete(ch)
    this.#send({ op: 'unsubscribe', ch })
  }

  /** @param {string} ch @param {unknown} data */
  say(ch, data) {
    this.#send({ op: 'publish', ch, data })
  }

  check() {
    if (!this.#wasOpen || this.#isOver) return
    const [ch] = this.#channels
    if (ch === undefined) return
    this.#send({ op: 'subscribe', ch, ref: 'alive' })
    this.#listenIn(answerMaxMs, () => this.#end(false))
  }

  close() {
    this.#isOver = true
    this.#stopSilence()
    this.#socket.close()
  }

  #opened() {
    this.#wasOpen = true
    this.#heardSomething()
    this.#events.onOpen()
  }

  /** @param {string} text */
  #heard(text) {
    if (this.#isOver) return
    this.#heardSomething()
    const frame = /** @type {ServerFrame} */ (JSON.parse(text))
    if (frame.ch !== undefined) {
      const { ch, type = '', data, id } = frame
      return this.#events.onEvent(ch, { type, data, id })
    }
    const ch = typeof frame.ref === 'number' ? this.#asked.get(frame.ref) : undefined
    if (ch === undefined || typeof frame.ref !== 'number') return
    this.#asked.delete(frame.ref)
    if (!this.#channels.has(ch)) return
    if (frame.error === undefined) return this.#events.onTaken(ch)
    this.#channels.delete(ch)
    this.#events.onRefused(ch, new Problem(frame.error))
  }

  #heardSomething() {
    this.#listenIn(silenceMaxMs, () => this.check())
  }

  /** What happens when nothing is heard for so long. @param {number} ms @param {() => void} work */
  #listenIn(ms, work) {
    this.#stopSilence()
    this.#stopSilence = this.#timers.after(work, ms)
  }

  /** @param {boolean} isFinal */
  #end(isFinal) {
    if (this.#isOver) return
    this.close()
    this.#events.onClosed({ isFinal, wasOpen: this.#wasOpen })
  }

  /** @param {object} frame */
  #send(frame) {
    if (!this.#isOver && this.#wasOpen) this.#socket.send(JSON.stringify(frame))
  }
}

/**
 * @typedef {object} ServerFrame
 * @property {string} [ch]
 * @property {string} [type]
 * @property {string} [id]
 * @property {unknown} [data]
 * @property {string | number} [ref]
 * @property {import('./problem.js').ProblemDocument} [error]
 */

const openMaxMs = 10_000
/** Longer than those who wait are ever left without news, so that the page hardly ever has to ask. */
const silenceMaxMs = 35_000
const answerMaxMs = 5_000
