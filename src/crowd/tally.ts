import type { JournalEntry, Outcome } from './journal.ts'

/** What became of the visitors of a sale so far. */
export interface Counts {
  buyers: number
  joined: number
  admitted: number
  /** Joined, not yet let in, not yet gone. */
  waiting: number
  shopping: number
  /** Buyers who have what they came for, and their places. */
  bought: number
  places: number
  done: number
  readonly outcomes: Map<Outcome, number>
}

/** What is measured, in milliseconds. */
export const measures = ['join', 'wait', 'hold', 'order'] as const
export type Measure = (typeof measures)[number]

/** Counts while the crowd is under way. */
export class Tally {
  readonly #counts = new Map<string, Counts>()
  readonly #stages = new Map<string, { joinedAtMs: number; isAdmitted: boolean }>()
  readonly #times = new Map<Measure, number[]>()
  readonly #failures = new Map<string, number>()

  expect(sale: string, buyers: number): void {
    this.#counts.set(sale, { ...noCounts, buyers, outcomes: new Map() })
  }

  /** Of a sale that is expected. */
  counts(sale: string): Counts {
    const counts = this.#counts.get(sale)
    if (counts === undefined) throw new Error(`Nobody was expected at ${sale}`)
    return counts
  }

  /** Of all sales together. */
  get total(): Counts {
    const total: Counts = { ...noCounts, outcomes: new Map() }
    for (const counts of this.#counts.values()) {
      for (const name of countNames) total[name] += counts[name]
      for (const [outcome, count] of counts.outcomes) addTo(total.outcomes, outcome, count)
    }
    return total
  }

  /** What went wrong, the most frequent first. */
  get failures(): [string, number][] {
    return [...this.#failures].toSorted((a, b) => b[1] - a[1])
  }

  /** The value below which the share lies, or undefined when nothing was measured. */
  quantile(measure: Measure, share: number): number | undefined {
    const sorted = (this.#times.get(measure) ?? []).toSorted((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  }

  add(entry: JournalEntry): void {
    const counts = this.counts(entry.sale)
    const stage = this.#stages.get(entry.buyer)
    if (entry.type === 'joined') {
      if (stage === undefined) this.#joined(counts, entry)
    } else if (entry.type === 'admitted') {
      if (stage?.isAdmitted === false) this.#admitted(counts, entry)
    } else if (entry.type === 'held') {
      this.#measure('hold', entry.tookMs)
    } else if (entry.type === 'order-decided') {
      this.#measure('order', entry.tookMs)
      if (entry.isBooked) counts.places += entry.places
    } else if (entry.type === 'failed') {
      addTo(this.#failures, `${entry.call}: ${entry.why.replace(/\b[a-z]{3}_[0-9a-z]{20,}\b/g, '…')}`, 1)
    } else if (entry.type === 'done') {
      this.#done(counts, entry)
    }
  }

  #joined(counts: Counts, entry: JournalEntry & { type: 'joined' }): void {
    this.#stages.set(entry.buyer, { joinedAtMs: entry.atMs, isAdmitted: false })
    this.#measure('join', entry.tookMs)
    counts.joined++
    counts.waiting++
  }

  #admitted(counts: Counts, entry: JournalEntry): void {
    const stage = this.#stages.get(entry.buyer)
    if (stage === undefined) return
    stage.isAdmitted = true
    this.#measure('wait', entry.atMs - stage.joinedAtMs)
    counts.admitted++
    counts.waiting--
    counts.shopping++
  }

  #done(counts: Counts, entry: JournalEntry & { type: 'done' }): void {
    const stage = this.#stages.get(entry.buyer)
    counts.done++
    if (entry.outcome === 'bought') counts.bought++
    addTo(counts.outcomes, entry.outcome, 1)
    if (stage?.isAdmitted === true) counts.shopping--
    else if (stage !== undefined) counts.waiting--
  }

  #measure(measure: Measure, ms: number): void {
    const times = this.#times.get(measure)
    if (times === undefined) this.#times.set(measure, [ms])
    else times.push(ms)
  }
}

const noCounts = {
  buyers: 0,
  joined: 0,
  admitted: 0,
  waiting: 0,
  shopping: 0,
  bought: 0,
  places: 0,
  done: 0,
}
const countNames = Object.keys(noCounts) as (keyof typeof noCounts)[]

function addTo<K>(counts: Map<K, number>, key: K, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count)
}
