/** @import { AvailabilityDelta, AvailabilitySnapshot } from '../../src/domain/units/unit-messages.ts' */
/** @import { LiveEvent } from '../live/event-stream.js' */
/** @import { Listening, ListenOptions } from '../live/live-link.js' */
/** @import { Problem } from '../live/problem.js' */
/** @import { MapChange, UnitMap } from './unit-map.js' */

/** How many units one may ask to be told of. */
export const watchMax = 20
/** An answer to what is missing may take so long; then it is asked for again. */
const answerMaxMs = 3000

/**
 * Keeps the map of a sale in step with the server.
 */
export class UnitsFeed {
  #map
  #ports
  #listening
  #askedAtMs = -Infinity

  /**
   * @param {UnitMap} map
   * @param {object} ports
   * @param {(options: ListenOptions) => Listening} ports.listen to the channel of the sale
   * @param {() => number} ports.nowMs
   * @param {(change: Exclude<MapChange, { type: 'gap' }>) => void} ports.onChange
   * @param {(code: string) => void} ports.onFree a watched unit is free
   * @param {(problem: Problem) => void} ports.onRefused
   */
  constructor(map, ports) {
    this.#map = map
    this.#ports = ports
    this.#listening = ports.listen({
      since: () => map.position,
      onEvent: (event) => this.#heard(event),
      onRefused: ports.onRefused,
    })
  }

  /** Tells when one of these is free; replaces those watched before. @param {readonly string[]} codes */
  watch(codes) {
    this.#listening.keepSaying({ watch: codes.slice(-watchMax) })
  }

  end() {
    this.#listening.end()
  }

  /** @param {LiveEvent} event */
  #heard({ type, data, id }) {
    if (type === 'free') return this.#ports.onFree(/** @type {{ unit: string }} */ (data).unit)
    if (type === 'snapshot') {
      this.#askedAtMs = -Infinity
      return this.#ports.onChange(allOf(this.#map.applySnapshot(/** @type {AvailabilitySnapshot} */ (data))))
    }
    if (type !== 'delta') return
    const change = this.#map.applyDelta(/** @type {AvailabilityDelta} */ (data), id)
    if (change.type === 'gap') return this.#askAgain()
    this.#askedAtMs = -Infinity
    if (change.type === 'all' || change.units.length > 0) this.#ports.onChange(change)
  }

  /** Deltas that were on their way already do not follow either, and are no reason to ask twice. */
  #askAgain() {
    const nowMs = this.#ports.nowMs()
    if (nowMs - this.#askedAtMs < answerMaxMs) return
    this.#askedAtMs = nowMs
    this.#listening.again()
  }
}

/** @param {MapChange} change */
function allOf(change) {
  return change.type === 'gap' ? { type: /** @type {const} */ ('all') } : change
}
