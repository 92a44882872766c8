import type { Clock } from '../../clock.ts'
import type { Sql } from '../../db/postgres.ts'
import { Problem } from '../../errors.ts'
import { RecentMap } from '../sales/recent-map.ts'
import { htmlOfDescription } from './store-description.ts'
import { storeErrors } from './store-errors.ts'
import { isStoreId, type StoreView } from './store-messages.ts'
import { findStore, picturesOf } from './store-rows.ts'
import { viewOfStore } from './store-view.ts'

interface Entry {
  readonly reading: Promise<StoreView>
  readonly readAtMs: number
}

/** How old a store may be before it is read again. */
const freshMs = 1_000
const storesMax = 1_000
/** Rendered descriptions, in characters. */
const htmlCharsMax = 8_000_000

/** Stores as they are shown, in this process's memory: however many ask, each is read once a second at most. */
export class StoreCatalogue {
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #entries = new RecentMap<Entry>({ weightMax: storesMax, weigh: () => 1 })
  readonly #rendered = new RecentMap<{ text: string; html: string }>({
    weightMax: htmlCharsMax,
    weigh: ({ text, html }) => text.length + html.length,
  })

  constructor(options: { sql: Sql; clock: Clock }) {
    this.#sql = options.sql
    this.#clock = options.clock
  }

  /** Throws `no_such_store`. */
  view(storeId: string): Promise<StoreView> {
    const known = this.#entries.get(storeId)
    if (known !== undefined && this.#clock.nowMs() - known.readAtMs < freshMs) return known.reading
    const reading = this.#read(storeId)
    const entry = { reading, readAtMs: this.#clock.nowMs() }
    this.#entries.set(storeId, entry)
    reading.catch(() => {
      // What failed is asked again at once, and made-up ids take no room.
      if (this.#entries.get(storeId) === entry) this.#entries.delete(storeId)
    })
    return reading
  }

  /** The store changed: whoever asks from now on gets what is written now. */
  forget(storeId: string): void {
    this.#entries.delete(storeId)
  }

  async #read(storeId: string): Promise<StoreView> {
    const store = isStoreId(storeId) ? await findStore(this.#sql, storeId) : undefined
    if (store === undefined) throw new Problem(storeErrors.no_such_store)
    const pictures = (await picturesOf(this.#sql, [storeId])).get(storeId) ?? []
    return viewOfStore(store, { pictures, html: this.#htmlOf(storeId, store.description) })
  }

  #htmlOf(storeId: string, text: string): string {
    const known = this.#rendered.get(storeId)
    if (known?.text === text) return known.html
    const html = htmlOfDescription(text)
    this.#rendered.set(storeId, { text, html })
    return html
  }
}
