import type { SaleState } from '../domain/sale-state/sale-state.ts'
import { RecentMap } from '../domain/sales/recent-map.ts'
import type { SaleCatalogue } from '../domain/sales/sale-catalogue.ts'
import type { Broker } from './broker.ts'
import { UnitMap } from './unit-map.ts'

/** Sales whose maps one process follows at the same time, beside those that are being watched. */
const mapsMax = 200

export interface UnitMapsOptions {
  readonly state: SaleState
  readonly broker: Broker
  readonly catalogue: Pick<SaleCatalogue, 'units'>
  /** Told of each reading of a whole map, for the metrics. */
  readonly onRead?: () => void
}

/** The maps of the sales this process is asked about. One that is followed stays until it is let go of. */
export class UnitMaps {
  readonly #options: UnitMapsOptions
  readonly #followed = new Map<string, { readonly map: UnitMap; count: number }>()
  readonly #asked = new RecentMap<UnitMap>({
    weightMax: mapsMax,
    weigh: () => 1,
    onDrop: (map) => this.#drop(map),
  })

  constructor(options: UnitMapsOptions) {
    this.#options = options
  }

  /** How many places of a unit are free, as far as this process knows at this moment. */
  async freePlaces(saleId: string): Promise<(unitNo: number) => number> {
    const map = await this.#mapOf(saleId)
    if (this.#asked.get(saleId) !== map) this.#asked.set(saleId, map)
    const { left } = await map.picture()
    return (unitNo) => left[unitNo] ?? 0
  }

  /** The map of a sale, kept until `unfollow` was called as often. */
  async follow(saleId: string): Promise<UnitMap> {
    const map = await this.#mapOf(saleId)
    const followed = this.#followed.get(saleId) ?? { map, count: 0 }
    this.#followed.set(saleId, followed)
    followed.count++
    return followed.map
  }

  unfollow(saleId: string): void {
    const followed = this.#followed.get(saleId)
    if (followed === undefined || --followed.count > 0) return
    this.#followed.delete(saleId)
    if (this.#asked.get(saleId) !== followed.map) followed.map.stop()
  }

  stop(): void {
    const followed = [...this.#followed.values()]
    this.#followed.clear()
    for (const { map } of followed) map.stop()
    this.#asked.clear()
  }

  async #mapOf(saleId: string): Promise<UnitMap> {
    // Asked first, so that nothing comes in between looking for a map and making one.
    const units = await this.#options.catalogue.units(saleId)
    const known = this.#followed.get(saleId)?.map ?? this.#asked.get(saleId)
    if (known !== undefined) return known
    const map = new UnitMap({ ...this.#options, saleId, units })
    this.#asked.set(saleId, map)
    return map
  }

  #drop(map: UnitMap): void {
    const isInUse = [...this.#followed.values()].some((followed) => followed.map === map)
    if (!isInUse) map.stop()
  }
}
