import type { Subscription } from 'rxjs'
import type { Clock } from '../clock.ts'
import type { SaleCatalogue } from '../domain/sales/sale-catalogue.ts'
import { MapView, type MapEvent } from './map-view.ts'
import type { UnitMaps } from './unit-maps.ts'

export interface MapViewsOptions {
  readonly maps: UnitMaps
  readonly catalogue: Pick<SaleCatalogue, 'units'>
  readonly clock: Clock
  /** Tells an event to a group of the viewers of a sale. */
  readonly tell: (saleId: string, group: number, event: MapEvent) => void
  readonly onFrame?: () => void
}

/** The views of this process, one for each sale that somebody watches, and for a while after. */
export class MapViews {
  readonly #options: MapViewsOptions
  readonly #views = new Map<string, { opening: Promise<OpenView>; holders: number; idleSinceMs: number }>()

  constructor(options: MapViewsOptions) {
    this.#options = options
  }

  /** The view of a sale; to be released as often as it was opened. Throws what reading the map throws. */
  async open(saleId: string): Promise<{ view: MapView; release: () => void }> {
    this.#closeIdle()
    const entry = this.#views.get(saleId) ?? { opening: this.#begin(saleId), holders: 0, idleSinceMs: 0 }
    this.#views.set(saleId, entry)
    entry.holders++
    let isHeld = true
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      entry.holders--
      entry.idleSinceMs = this.#options.clock.nowMs()
    }
    try {
      return { view: (await entry.opening).view, release }
    } catch (error) {
      release()
      if (this.#views.get(saleId) === entry) this.#views.delete(saleId)
      throw error
    }
  }

  stop(): void {
    for (const saleId of this.#views.keys()) this.#close(saleId)
  }

  async #begin(saleId: string): Promise<OpenView> {
    const { maps, catalogue, clock, tell, onFrame } = this.#options
    const map = await maps.follow(saleId)
    try {
      const picture = await map.picture()
      const units = await catalogue.units(saleId)
      const view = new MapView(
        { saleId, units, map, clock, ...(onFrame && { onFrame }) },
        map.known ?? picture,
      )
      const telling = view.events$.subscribe(({ group, event }) => tell(saleId, group, event))
      return { view, telling }
    } catch (error) {
      maps.unfollow(saleId)
      throw error
    }
  }

  /** Looked for when somebody comes: a view without viewers costs little, and may be asked for again. */
  #closeIdle(): void {
    const nowMs = this.#options.clock.nowMs()
    for (const [saleId, { holders, idleSinceMs }] of this.#views) {
      const isPatient = this.#views.size <= viewsMax && nowMs - idleSinceMs <= idleMs
      if (holders === 0 && !isPatient) this.#close(saleId)
    }
  }

  #close(saleId: string): void {
    const entry = this.#views.get(saleId)
    this.#views.delete(saleId)
    entry?.opening.then(
      ({ view, telling }) => {
        telling.unsubscribe()
        view.stop()
        this.#options.maps.unfollow(saleId)
      },
      () => {},
    )
  }
}

/** How long a view without viewers is kept, as long as there are not too many. */
const idleMs = 30_000
const viewsMax = 200

interface OpenView {
  readonly view: MapView
  readonly telling: Subscription
}
