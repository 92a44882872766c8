import { inTime, type Clock } from '../clock.ts'
import type { Sql } from './postgres.ts'

const subjects = ['stores', 'sales'] as const
/** `stores` are the stores with their pictures, `sales` what is written of sales, without what becomes of their units. */
export type Subject = (typeof subjects)[number]
export type ChangeCounts = Readonly<Record<Subject, number>>

/** How old the counts may be before they are read again. */
const freshMs = 1_000
/** How old they may be while PostgreSQL does not answer. */
const staleMsMax = 60_000
/** How long a request waits for new counts while older ones are at hand. */
const patienceMs = 250

/**
 * How often rows of a subject have changed. What was read after a count was is still so while the count stays the same.
 * However many ask, PostgreSQL is asked once a second; while it is away, nothing is known to have changed for a minute.
 */
export class RowChanges {
  readonly #read: () => Promise<ChangeCounts>
  readonly #clock: Clock
  #known: { readonly counts: ChangeCounts; readonly askedAtMs: number; readonly look: number } | undefined
  #looks = 0
  #freshUntilMs = 0
  #looking: Promise<ChangeCounts> | undefined

  constructor(options: { read: () => Promise<ChangeCounts>; clock: Clock }) {
    this.#read = options.read
    this.#clock = options.clock
  }

  /** Rejects with what the reading did. */
  now(): ChangeCounts | Promise<ChangeCounts> {
    if (this.#known !== undefined && this.#clock.nowMs() < this.#freshUntilMs) return this.#known.counts
    return this.#looking ?? this.#look()
  }

  /** Something changed: whoever asks from now on gets counts that know of it. */
  lookAgain(): void {
    this.#freshUntilMs = 0
    this.#looking = undefined
  }

  #look(): Promise<ChangeCounts> {
    const askedAtMs = this.#clock.nowMs()
    const look = ++this.#looks
    const read = this.#read().then((counts) => {
      if (look > (this.#known?.look ?? 0)) this.#known = { counts, askedAtMs, look }
      return counts
    })
    const isNewest = (): boolean => this.#looking === looking
    const looking: Promise<ChangeCounts> = (
      this.#known === undefined ? read : inTime(this.#clock, patienceMs, read)
    )
      .catch((error: unknown) => this.#lastKnown(error))
      .then((counts) => {
        // Also what was known before: a store in trouble is not helped by being asked again at once.
        if (isNewest()) this.#freshUntilMs = askedAtMs + freshMs
        return counts
      })
      .finally(() => {
        if (isNewest()) this.#looking = undefined
      })
    this.#looking = looking
    return looking
  }

  #lastKnown(error: unknown): ChangeCounts {
    const known = this.#known
    if (known === undefined || this.#clock.nowMs() - known.askedAtMs > staleMsMax) throw error
    return known.counts
  }
}

export async function readRowChanges(sql: Sql): Promise<ChangeCounts> {
  const rows = await sql<{ subject: Subject; count: number }[]>`
    select subject, sum(count)::int8 as count from row_changes where subject in ${sql(subjects)} group by subject`
  const counts: Record<Subject, number> = { stores: 0, sales: 0 }
  for (const { subject, count } of rows) counts[subject] = count
  return counts
}
