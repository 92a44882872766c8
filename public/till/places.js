import { signal } from '/vendor/signals.js'
import { call, newKey, pause } from '../live/calls.js'
import { live } from '../live/live.js'
import { toProblem } from '../live/problem.js'
import { FreeSeats } from '../hall/free-seats.js'
import { SeatGrid } from '../hall/seat-grid.js'
import { saleUnits } from '../units/sale-units.js'
import { UnitsFeed, watchMax } from '../units/units-feed.js'
import { Till } from './till.js'
import { choose, emptyTill, withoutTaken } from './till-state.js'

/** @import { SaleLayout } from '../../src/domain/sales/sale-layout-messages.ts' */
/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */
/** @import { Listening } from '../live/live-link.js' */
/** @import { SaleUnits } from '../units/sale-units.js' */
/** @import { MapChange } from '../units/unit-map.js' */

/** Numbers beside the hall are written anew so often at the most; the hall itself at every change. */
const pulseMs = 300

/** Everything a page knows of the places of one sale: which are free, and what the buyer does with them. */
export class Places {
  sale
  units
  grid
  free
  till
  /** What the buyer has. */
  state = signal(emptyTill)
  /** Raised when something about the map has changed, a few times a second at the most. */
  pulse = signal(0)
  /** Units to be told of when they are free. @type {import('/vendor/signals.js').Signal<readonly string[]>} */
  watched = signal(/** @type {readonly string[]} */ ([]))
  /** Watched units that are free (again). @type {import('/vendor/signals.js').Signal<readonly string[]>} */
  freed = signal(/** @type {readonly string[]} */ ([]))
  mayChoose = signal(false)
  #token = ''
  #onAdmissionOver = () => {}
  /** @type {Set<(units: readonly number[] | 'all') => void>} */
  #watchers = new Set()
  /** @type {UnitsFeed} */
  #feed
  /** @type {Listening} */
  #orders
  #pulseTimer = 0

  /** @param {SaleView} sale @param {SaleUnits} units @param {SeatGrid | undefined} grid in a sale of seats */
  constructor(sale, units, grid) {
    this.sale = sale
    this.units = units
    this.grid = grid
    this.free = units.hall && new FreeSeats(units.hall)
    this.till = new Till(sale.id, {
      call,
      newKey,
      pause,
      store: this.state,
      token: () => this.#token || undefined,
      onAdmissionOver: () => this.#onAdmissionOver(),
      leftOf: (code) => this.leftOf(code),
    })
    this.#feed = new UnitsFeed(this.units.map, {
      listen: (options) => live.listen(`units:${sale.id}`, options),
      nowMs: () => performance.now(),
      onChange: (change) => this.#changed(change),
      onFree: (code) => this.#noteFree(code),
      onRefused: () => this.#pulse(),
    })
    this.#orders = live.listen('me', {
      onEvent: () => this.till.lookNow(),
      onTaken: () => this.till.lookNow(),
    })
    void this.till.resume()
  }

  /** @param {{ token: string | undefined, mayChoose: boolean, onAdmissionOver: () => void }} now */
  admit({ token, mayChoose, onAdmissionOver }) {
    this.#token = token ?? ''
    this.#onAdmissionOver = onAdmissionOver
    this.mayChoose.value = mayChoose
  }

  /** Told at each change of units; returns what ends it. @param {(units: readonly number[] | 'all') => void} watcher */
  onChange(watcher) {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  /** @param {string} code */
  leftOf(code) {
    const unitNo = this.units.numberOf(code)
    return unitNo === undefined ? 0 : this.units.leftOf(unitNo)
  }

  /** @param {string} code @param {number} quantity 0: not any more @param {{ isOnly?: boolean }} [options] */
  choose(code, quantity, { isOnly = false } = {}) {
    if (!this.mayChoose.value) return
    const { maxPerAccount } = this.sale.queue
    this.till.change((now) => choose(now, { code, quantity, maxPerAccount, isOnly }))
    this.freed.value = this.freed.value.filter((other) => other !== code)
  }

  /** @param {string} code */
  toggle(code) {
    const isChosen = this.state.value.chosen.has(code)
    if (isChosen || this.leftOf(code) > 0) this.choose(code, isChosen ? 0 : 1)
  }

  /** @param {string} code */
  watch(code) {
    this.watched.value = [...this.watched.value.filter((other) => other !== code), code].slice(-watchMax)
    this.#feed.watch(this.watched.value)
  }

  /** @param {string} code */
  forgetFreed(code) {
    this.freed.value = this.freed.value.filter((other) => other !== code)
  }

  end() {
    clearTimeout(this.#pulseTimer)
    this.#feed.end()
    this.#orders.end()
    this.till.end()
  }

  /** @param {Exclude<MapChange, { type: 'gap' }>} change */
  #changed(change) {
    const { map } = this.units
    if (change.type === 'all') this.free?.updateAll(map.seats)
    else this.free?.update(map.seats, change.units)
    for (const watcher of this.#watchers) watcher(change.type === 'all' ? 'all' : change.units)
    if (this.state.value.chosen.size > 0) {
      this.till.change((now) => withoutTaken(now, (code) => this.leftOf(code)))
    }
    if (change.type === 'all') this.pulse.value++
    else this.#pulse()
  }

  #pulse() {
    if (this.#pulseTimer !== 0) return
    this.#pulseTimer = setTimeout(() => {
      this.#pulseTimer = 0
      this.pulse.value++
    }, pulseMs)
  }

  /** Told once for each time it was asked. @param {string} code */
  #noteFree(code) {
    if (!this.watched.value.includes(code)) return
    this.watched.value = this.watched.value.filter((other) => other !== code)
    this.freed.value = [...this.freed.value.filter((other) => other !== code), code].slice(-3)
    this.#feed.watch(this.watched.value)
  }
}

/** @param {SaleView} sale @returns {Promise<Places>} @throws {import('../live/problem.js').Problem} */
export async function openPlaces(sale) {
  try {
    /** @type {SaleLayout} */
    const layout = await call(`/sales/${sale.id}/layout`)
    // Fifty thousand seats are made ready in steps, between which the page answers.
    await pause(0)
    const units = saleUnits(layout)
    await pause(0)
    const grid = units.hall && new SeatGrid(units.hall)
    await pause(0)
    return new Places(sale, units, grid)
  } catch (thrown) {
    throw toProblem(thrown)
  }
}
