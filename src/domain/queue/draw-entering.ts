import { Batcher } from '../../db/batcher.ts'
import type { Sql } from '../../db/postgres.ts'
import type { Clock } from '../../clock.ts'
import { Problem } from '../../errors.ts'
import type { Ids } from '../../ids.ts'
import { saleStateErrors } from '../sale-state/sale-failures.ts'
import { RecentMap } from '../sales/recent-map.ts'
import type { Sale } from '../sales/sale.ts'
import { countEntries, enterDraws, entriesOf, withdrawEntry, type EntryAsked } from './draw-store.ts'

/** Entries remembered at most; some 200 bytes each. */
const knownMax = 50_000

/** How long it is believed who has entered: an entry may be taken back, or made anew, through another edge. */
const knownMs = 10_000

/** How long a count of entries is good enough. */
const countMs = 2000

export interface Entered {
  readonly state: 'entered'
  readonly entryId: string
  readonly entrants: number
}

interface Known {
  readonly atMs: number
  /** Undefined: has not entered. */
  readonly entryId: string | undefined
}

/** Whether joining means entering the draw: before the opening it does. */
export function takesEntries({ queue, status }: Sale): boolean {
  return queue.mode === 'lottery' && status === 'scheduled'
}

/** Entering draws. An entry is on disk when it is answered, so no loss of Redis can touch it. */
export class DrawEntering {
  readonly #sql: Sql
  readonly #ids: Ids
  readonly #clock: Clock
  readonly #entries: Batcher<EntryAsked, string | undefined>
  /** Also of who has not entered. */
  readonly #known = new RecentMap<Known>({ weightMax: knownMax, weigh: () => 1 })
  readonly #counts = new RecentMap<{ readonly atMs: number; readonly count: Promise<number> }>({
    weightMax: 1000,
    weigh: () => 1,
  })

  constructor(options: { sql: Sql; ids: Ids; clock: Clock }) {
    this.#sql = options.sql
    this.#ids = options.ids
    this.#clock = options.clock
    this.#entries = new Batcher({
      run: async (asked) => (await enterDraws(options.sql, asked)).map((value) => ({ ok: true, value })),
      batchMax: 500,
      queueMax: 50_000,
    })
  }

  /** The account's entry, the same one however often it asks. Throws `restoring` while the draw is held. */
  async enter(saleId: string, accountId: string): Promise<Entered> {
    const entryId = await this.#entries.add({ saleId, accountId, entryId: this.#ids.next('ent') })
    if (entryId === undefined) throw new Problem(saleStateErrors.restoring, { retryAfterSeconds: 1 })
    this.#note(saleId, accountId, entryId)
    return { state: 'entered', entryId, entrants: await this.count(saleId) }
  }

  /** Takes the entry back. Throws `not_in_line` when there is none to take back. */
  async withdraw(saleId: string, accountId: string): Promise<void> {
    if (!(await withdrawEntry(this.#sql, saleId, accountId))) throw new Problem(saleStateErrors.not_in_line)
    this.#note(saleId, accountId, undefined)
  }

  /** The entries of accounts, by account; as they are here, or were some seconds ago elsewhere. */
  async of(saleId: string, accountIds: readonly string[]): Promise<Map<string, string>> {
    const before = new Map(
      accountIds.map((accountId) => [accountId, this.#known.get(`${saleId} ${accountId}`)] as const),
    )
    const youngMs = this.#clock.nowMs() - knownMs
    const unknown = accountIds.filter((accountId) => (before.get(accountId)?.atMs ?? -Infinity) <= youngMs)
    const found =
      unknown.length === 0 ? new Map<string, string>() : await entriesOf(this.#sql, saleId, unknown)
    for (const accountId of unknown) {
      // What was done here meanwhile is younger than what was read.
      if (this.#known.get(`${saleId} ${accountId}`) !== before.get(accountId)) continue
      this.#note(saleId, accountId, found.get(accountId))
    }
    return new Map(
      accountIds.flatMap((accountId) => {
        const known = this.#known.get(`${saleId} ${accountId}`)
        const entryId = known === undefined ? found.get(accountId) : known.entryId
        return entryId === undefined ? [] : [[accountId, entryId] as const]
      }),
    )
  }

  #note(saleId: string, accountId: string, entryId: string | undefined): void {
    this.#known.set(`${saleId} ${accountId}`, { atMs: this.#clock.nowMs(), entryId })
  }

  /** How many have entered, give or take two seconds. */
  count(saleId: string): Promise<number> {
    const nowMs = this.#clock.nowMs()
    const known = this.#counts.get(saleId)
    if (known !== undefined && nowMs - known.atMs < countMs) return known.count
    const count = countEntries(this.#sql, saleId)
    count.catch(() => this.#counts.delete(saleId))
    this.#counts.set(saleId, { atMs: nowMs, count })
    return count
  }
}
