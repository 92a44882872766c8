import { inTime, type Clock } from '../clock.ts'
import type { Sql } from './postgres.ts'

const subjects = ['stores', 'sales'] as const
/** `stores` are the stores with their pictures, `sales` what is written of sales, without what becomes of their units. */
export type Subject = (typeof subjects)[number]
export type BySubject = Readonly<Record<Subject, number>>

/** How old what is known may be before PostgreSQL is asked again. */
const freshMs = 1_000
/** How old it may be while PostgreSQL does not answer. */
const staleMsMax = 60_000
/** How long a request waits for an answer while something older is at hand. */
const patienceMs = 250

interface Known {
  readonly counts: BySubject
  readonly generations: BySubject
  readonly askedAtMs: number
  /** The number of the look that it comes from. */
  readonly look: number
}

/**
 * Whether rows of a subject have changed, as generations: what was read after one was told is still so while it stays
 * the same. However many ask, PostgreSQL is asked once a second, and after each change that is told of here; while it is
 * away, nothing is known to have changed for a minute.
 */
export class RowChanges {
  readonly #read: () => Promise<BySubject>
  readonly #clock: Clock
  #known: Known | undefined
  #freshUntilMs = 0
  #looks = 0
  /** Looks up to this one may miss a change that was told of. */
  #toldAtLook = 0
  #looking: Promise<BySubject> | undefined

  /** @param options `read` answers how often rows of each subject have changed, such as `readRowChanges` */
  constructor(options: { read: () => Promise<BySubject>; clock: Clock }) {
    this.#read = options.read
    this.#clock = options.clock
  }

  /** Rejects with what the reading did, where nothing is known that could be told instead. */
  generations(): BySubject | Promise<BySubject> {
    if (this.#known !== undefined && this.#clock.nowMs() < this.#freshUntilMs) return this.#known.generations
    return this.#looking ?? this.#look()
  }

  /** Something changed: whoever asks from now on hears of generations that know of it, or waits. */
  lookAgain(): void {
    this.#toldAtLook = this.#looks
    this.#freshUntilMs = 0
    this.#looking = undefined
  }

  #look(): Promise<BySubject> {
    const askedAtMs = this.#clock.nowMs()
    const look = ++this.#looks
    const read = this.#read().then((counts) => this.#keep({ counts, askedAtMs, look }))
    const older = this.#usable(askedAtMs)
    const told =
      older === undefined
        ? read
        : inTime(this.#clock, patienceMs, read).catch(() => this.#known?.generations ?? older.generations)
    const isNewest = (): boolean => this.#looking === looking
    const looking: Promise<BySubject> = told
      .then((generations) => {
        // Also what was known before: a store in trouble is not helped by being asked again at once.
        if (isNewest()) this.#freshUntilMs = askedAtMs + freshMs
        return generations
      })
      .finally(() => {
        if (isNewest()) this.#looking = undefined
      })
    this.#looking = looking
    return looking
  }

  /** What may be told instead of an answer that is late. */
  #usable(nowMs: number): Known | undefined {
    const known = this.#known
    if (known === undefined || known.look <= this.#toldAtLook) return undefined
    return nowMs - known.askedAtMs <= staleMsMax ? known : undefined
  }

  /** What was overtaken by a younger look is dropped. */
  #keep(heard: Omit<Known, 'generations'>): BySubject {
    const known = this.#known
    if (known !== undefined && heard.look < known.look) return known.generations
    const generation = (subject: Subject): number => {
      const before = known?.generations[subject] ?? 0
      // Different is enough: a database that was put back counts backwards.
      return known?.counts[subject] === heard.counts[subject] ? before : before + 1
    }
    const generations = { stores: generation('stores'), sales: generation('sales') }
    this.#known = { ...heard, generations }
    return generations
  }
}

/** How often statements have changed rows of each subject, those of transactions that are committed. */
export async function readRowChanges(sql: Sql): Promise<BySubject> {
  const rows = await sql<{ subject: Subject; count: number }[]>`
    select subject, sum(count)::int8 as count from row_changes where subject in ${sql(subjects)} group by subject`
  const counts: Record<Subject, number> = { stores: 0, sales: 0 }
  for (const { subject, count } of rows) counts[subject] = count
  return counts
}
