import { createHash } from 'node:crypto'
import { inTime, type Clock } from '../../clock.ts'
import type { Sql } from '../../db/postgres.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { RecentMap } from './recent-map.ts'
import type { Sale } from './sale.ts'
import { saleErrors } from './sale-errors.ts'
import type { SaleLayout } from './sale-layout-messages.ts'
import { isSaleId } from './sale-messages.ts'
import { findSale, readLayout, readUnits } from './sale-store.ts'
import { makeUnitTable, type UnitTable } from './unit-table.ts'

/** A layout as it goes over the wire, written once for everybody. */
export interface LayoutDocument {
  readonly layout: SaleLayout
  readonly json: string
  /** With its quotation marks. */
  readonly etag: string
}

/** Where the catalogue reads from; each answers undefined for a sale that is not there. */
export interface SaleSource {
  sale(saleId: string): Promise<Sale | undefined>
  layout(saleId: string): Promise<SaleLayout | undefined>
  units(saleId: string, layout: SaleLayout): Promise<UnitTable>
}

export function saleSource(sql: Sql): SaleSource {
  return {
    sale: (saleId) => findSale(sql, saleId),
    layout: (saleId) => readLayout(sql, saleId),
    units: async (saleId, layout) => makeUnitTable(await readUnits(sql, saleId), layout),
  }
}

/** How old a sale may be before it is read again. */
const freshMs = 1_000
/** How old a sale may be while PostgreSQL does not answer. */
const staleMsMax = 60_000
/** How long a request waits for a new reading while an older one is at hand. */
const patienceMs = 250

const salesMax = 2_000
const unitsMax = 1_000_000
const layoutCharsMax = 64_000_000

interface Entry {
  /** Undefined while nothing was read, null when there is no such sale. */
  sale: Sale | null | undefined
  readAtMs: number
  /** Not to be read again before this, unless somebody says that it changed. */
  freshUntilMs: number
  /** How often somebody said so; a reading begun before that may be old. */
  changes: number
  reading: Promise<Sale | null> | undefined
}

/**
 * The sales in this process's memory. However many ask, a sale is read at most once a second and its units once; while
 * PostgreSQL is away, what was read in the last minute is still given.
 */
export class SaleCatalogue {
  readonly #source: SaleSource
  readonly #clock: Clock
  readonly #sales = new RecentMap<Entry>({ weightMax: salesMax, weigh: () => 1 })
  /** Ids that were asked for and not found (yet). Apart, so that made-up ids cannot drive out the sales. */
  readonly #unknown = new RecentMap<Entry>({ weightMax: salesMax, weigh: () => 1 })
  readonly #units = new RecentMap<UnitTable>({ weightMax: unitsMax, weigh: (table) => table.count })
  readonly #layouts = new RecentMap<LayoutDocument>({
    weightMax: layoutCharsMax,
    weigh: (it) => it.json.length,
  })
  readonly #loading = new Map<string, Promise<unknown>>()

  constructor(options: { source: SaleSource; clock: Clock }) {
    this.#source = options.source
    this.#clock = options.clock
  }

  /** Throws `no_such_sale`, `unavailable`. */
  async sale(saleId: string): Promise<Sale> {
    const entry = this.#entry(saleId)
    const fresh = this.#clock.nowMs() < entry.freshUntilMs
    const sale = fresh ? entry.sale : await (entry.reading ?? this.#read(saleId, entry))
    if (sale === null || sale === undefined) throw new Problem(saleErrors.no_such_sale)
    return sale
  }

  /** Throws `no_such_sale`, `unavailable`. */
  async units(saleId: string): Promise<UnitTable> {
    const known = this.#units.get(saleId)
    if (known !== undefined) return known
    const { layout } = await this.layout(saleId)
    return await this.#once(`units ${saleId}`, async () => {
      const table = await this.#source.units(saleId, layout)
      this.#units.set(saleId, table)
      return table
    })
  }

  /** Throws `no_such_sale`, `unavailable`. */
  async layout(saleId: string): Promise<LayoutDocument> {
    const known = this.#layouts.get(saleId)
    if (known !== undefined) return known
    // Refuses a sale that is not there without asking for its layout each time.
    await this.sale(saleId)
    return await this.#once(`layout ${saleId}`, async () => {
      const layout = await this.#source.layout(saleId)
      if (layout === undefined) throw new Problem(saleErrors.no_such_sale)
      const document = documentOf(layout)
      this.#layouts.set(saleId, document)
      return document
    })
  }

  /** The sale changed: for whoever asks from now on it is read again. Units and layout never change. */
  forget(saleId: string): void {
    const entry = this.#sales.get(saleId) ?? this.#unknown.get(saleId)
    if (entry === undefined) return
    entry.freshUntilMs = 0
    entry.changes += 1
    entry.reading = undefined
  }

  #entry(saleId: string): Entry {
    const known = this.#sales.get(saleId) ?? this.#unknown.get(saleId)
    if (known !== undefined) return known
    if (!isSaleId(saleId)) throw new Problem(saleErrors.no_such_sale)
    const entry: Entry = { sale: undefined, readAtMs: 0, freshUntilMs: 0, changes: 0, reading: undefined }
    this.#unknown.set(saleId, entry)
    return entry
  }

  #read(saleId: string, entry: Entry): Promise<Sale | null> {
    const { changes } = entry
    const read = this.#source.sale(saleId).then((found) => {
      const sale = found ?? null
      this.#keep(saleId, entry, { sale, changes })
      return sale
    })
    const reading = (entry.sale === undefined ? read : inTime(this.#clock, patienceMs, read))
      .catch((cause: unknown) => this.#lastKnown(entry, cause))
      .finally(() => {
        if (entry.reading === reading) entry.reading = undefined
      })
    entry.reading = reading
    return reading
  }

  /** A reading that was overtaken by a younger one is dropped; one that a change overtook is kept but not called fresh. */
  #keep(saleId: string, entry: Entry, read: { sale: Sale | null; changes: number }): void {
    if ((read.sale?.version ?? 0) < (entry.sale?.version ?? 0)) return
    entry.sale = read.sale
    entry.readAtMs = this.#clock.nowMs()
    if (read.changes === entry.changes) entry.freshUntilMs = entry.readAtMs + freshMs
    if (read.sale === null) return
    this.#unknown.delete(saleId)
    this.#sales.set(saleId, entry)
  }

  #lastKnown(entry: Entry, cause: unknown): Sale | null {
    const nowMs = this.#clock.nowMs()
    if (entry.sale === undefined || nowMs - entry.readAtMs > staleMsMax) throw unavailable(cause)
    // Not asked again at once: a store in trouble is not helped by it.
    entry.freshUntilMs = nowMs + freshMs
    return entry.sale
  }

  #once<T>(name: string, load: () => Promise<T>): Promise<T> {
    // One name always loads one type.
    const known = this.#loading.get(name) as Promise<T> | undefined
    if (known !== undefined) return known
    const loading = load()
      .catch((cause: unknown) => {
        throw cause instanceof Problem ? cause : unavailable(cause)
      })
      .finally(() => this.#loading.delete(name))
    this.#loading.set(name, loading)
    return loading
  }
}

function documentOf(layout: SaleLayout): LayoutDocument {
  const json = JSON.stringify(layout)
  return { layout, json, etag: `"${createHash('sha256').update(json).digest('base64url').slice(0, 27)}"` }
}

function unavailable(cause: unknown): Problem {
  return new Problem(generalErrors.unavailable, { retryAfterSeconds: 1, cause })
}
