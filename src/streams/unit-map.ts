import type { Subscription } from 'rxjs'
import type { SaleState } from '../domain/sale-state/sale-state.ts'
import { saleChannels } from '../domain/sale-state/sale-keys.ts'
import { RecentMap } from '../domain/sales/recent-map.ts'
import { unitsDelta, type UnitsDelta } from '../domain/units/unit-messages.ts'
import { unitsSnapshot } from '../domain/units/unit-scripts.ts'
import type { Broker } from './broker.ts'

/** Sales whose maps one process follows at the same time. */
const mapsMax = 200

/** The free places of each unit of the sales this process is asked about, kept by deltas. */
export class UnitMaps {
  readonly #state: SaleState
  readonly #broker: Broker
  readonly #maps: RecentMap<UnitMap>

  constructor(options: { state: SaleState; broker: Broker }) {
    this.#state = options.state
    this.#broker = options.broker
    this.#maps = new RecentMap({ weightMax: mapsMax, weigh: () => 1, onDrop: (map) => map.stop() })
    this.#broker.lost$.subscribe(() => this.stop())
  }

  /** How many places of a unit are free, as far as this process knows at this moment. */
  async freePlaces(saleId: string): Promise<(unitNo: number) => number> {
    let map = this.#maps.get(saleId)
    if (map === undefined) {
      map = new UnitMap({ state: this.#state, broker: this.#broker, saleId })
      this.#maps.set(saleId, map)
    }
    const left = await map.left()
    return (unitNo) => left[unitNo] ?? 0
  }

  stop(): void {
    this.#maps.clear()
  }
}

/** One sale's free places. Deltas follow each other by `prev`; a gap means that the whole is read again. */
class UnitMap {
  readonly #state: SaleState
  readonly #saleId: string
  readonly #deltas: Subscription
  #known: { epoch: number; seq: number; left: number[] } | undefined
  #early: UnitsDelta[] = []
  #reading: Promise<number[]> | undefined

  constructor(options: { state: SaleState; broker: Broker; saleId: string }) {
    this.#state = options.state
    this.#saleId = options.saleId
    this.#deltas = options.broker
      .messages(saleChannels.units(options.saleId), unitsDelta)
      .subscribe((delta) => this.#take(delta))
  }

  async left(): Promise<readonly number[]> {
    return this.#known?.left ?? (await (this.#reading ??= this.#read()))
  }

  stop(): void {
    this.#deltas.unsubscribe()
  }

  #take(delta: UnitsDelta): void {
    if (this.#known === undefined) {
      // Nobody reads: what comes now is in the next snapshot.
      if (this.#reading !== undefined) this.#early.push(delta)
      return
    }
    if (delta.epoch === this.#known.epoch && delta.seq <= this.#known.seq) return
    if (delta.epoch !== this.#known.epoch || delta.prev !== this.#known.seq) {
      this.#known = undefined
      this.#early = []
      return
    }
    this.#known.seq = delta.seq
    for (const [unitNo, left] of delta.changes) this.#known.left[unitNo] = left
  }

  async #read(): Promise<number[]> {
    try {
      const reply = await this.#state.run(unitsSnapshot, this.#saleId, {})
      const [seq, flat] = reply as [number, string[]]
      const left: number[] = []
      for (let at = 0; at < flat.length; at += 2) left[Number(flat[at])] = Number(flat[at + 1])
      this.#known = { epoch: this.#state.epoch(this.#saleId), seq, left }
      const early = this.#early
      this.#early = []
      for (const delta of early) this.#take(delta)
      return left
    } finally {
      this.#reading = undefined
    }
  }
}
