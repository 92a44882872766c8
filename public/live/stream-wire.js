/** @import { Beginning, Timers, Wire, WireEvents } from './wire.js' */
/** @import { StreamOptions } from './event-stream.js' */
import { toProblem } from './problem.js'

/**
 * A stream of server-sent events for each channel, for networks that let no WebSocket through. When one is cut all
 * are: they come back together, each after what it heard last.
 * @implements {Wire}
 */
export class StreamWire {
  #events
  #ports
  #isOver = false
  #wasOpen = false
  /** @type {Map<string, AbortController>} */
  #streams = new Map()
  /** @type {Map<string, string>} */
  #heardUpTo = new Map()

  /**
   * @param {WireEvents} events
   * @param {object} ports
   * @param {Timers} ports.timers
   * @param {(ch: string, said: unknown) => string | undefined} ports.pathOf undefined: there is no stream of this channel
   * @param {(path: string, options: StreamOptions) => Promise<void>} ports.read
   */
  constructor(events, ports) {
    this.#events = events
    this.#ports = ports
    ports.timers.after(() => {
      if (!this.#isOver) events.onOpen()
    }, 0)
  }

  /** @param {string} ch @param {Beginning} how */
  subscribe(ch, { since, said }) {
    this.unsubscribe(ch)
    const path = this.#ports.pathOf(ch, said)
    if (path === undefined) return
    const over = new AbortController()
    this.#streams.set(ch, over)
    void this.#read(ch, { path, since, over })
  }

  /** @param {string} ch */
  unsubscribe(ch) {
    this.#streams.get(ch)?.abort()
    this.#streams.delete(ch)
  }

  /** What is said goes into the address of a stream, which begins anew. @param {string} ch @param {unknown} data */
  say(ch, data) {
    if (this.#streams.has(ch)) this.subscribe(ch, { since: this.#heardUpTo.get(ch), said: data })
  }

  /** A stream that falls silent ends by itself. */
  check() {}

  close() {
    this.#isOver = true
    for (const ch of this.#streams.keys()) this.unsubscribe(ch)
  }

  /** @param {string} ch @param {{ path: string, since: string | undefined, over: AbortController }} stream */
  async #read(ch, { path, since, over }) {
    const ifWanted = (/** @type {() => void} */ work) => {
      if (!over.signal.aborted) work()
    }
    try {
      await this.#ports.read(path, {
        signal: over.signal,
        since,
        onOpen: () => ifWanted(() => this.#taken(ch)),
        onEvent: (event) =>
          ifWanted(() => {
            if (event.id !== undefined) this.#heardUpTo.set(ch, event.id)
            this.#events.onEvent(ch, event)
          }),
      })
      ifWanted(() => this.#end())
    } catch (thrown) {
      const problem = toProblem(thrown)
      ifWanted(() => {
        if (problem.status === 0) return this.#end()
        this.unsubscribe(ch)
        this.#events.onRefused(ch, problem)
      })
    }
  }

  /** @param {string} ch */
  #taken(ch) {
    this.#wasOpen = true
    this.#events.onTaken(ch)
  }

  #end() {
    if (this.#isOver) return
    this.close()
    this.#events.onClosed({ isFinal: false, wasOpen: this.#wasOpen })
  }
}
