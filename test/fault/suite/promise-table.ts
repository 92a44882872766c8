import { promiseTitles } from './promises.ts'
import type { RoundReport } from './round.ts'

interface Cell {
  kept: number
  broken: number
}

const legend = [
  'A number: in how many of the rounds in which this was done, and came to its end, the promise was kept; 1/3!: in one of three.',
  'The others of a round were done in it, too. -: it never came to its end. What passed and failed are the promises of',
  'each round, each once, and the faults that were to come to their end.',
]

/** What was judged of all rounds: each promise in each of them once, and of each fault whether it came to its end. */
export class PromiseTable {
  readonly #counts = { passed: 0, failed: 0 }
  readonly #rows = new Map<string, Cell[]>()

  add({
    plan,
    breaches,
    unseen,
    cutShort,
  }: Pick<RoundReport, 'plan' | 'breaches' | 'unseen' | 'cutShort'>): void {
    // Of what was held against nothing nobody knows whether it was kept.
    const broken = new Set([...breaches, ...unseen].map(({ promise }) => promise))
    this.#count(promiseTitles.length - broken.size, broken.size)
    this.#count(plan.faults.length - cutShort.length, cutShort.length)
    for (const name of new Set(plan.faults.map((fault) => fault.name))) {
      const row = this.#rows.get(name) ?? promiseTitles.map(() => ({ kept: 0, broken: 0 }))
      this.#rows.set(name, row)
      const times = plan.faults.filter((fault) => fault.name === name).length
      if (cutShort.filter((fault) => fault.name === name).length === times) continue
      row.forEach((cell, index) => (broken.has(index + 1) ? cell.broken++ : cell.kept++))
    }
  }

  /** One promise was judged once more, long after a fault. */
  addLater(fault: string, promise: number, isBroken: boolean): void {
    const cell = this.#rows.get(fault)?.[promise - 1]
    if (cell === undefined) throw new Error(`nothing was said of ${fault} before`)
    if (isBroken) cell.broken++
    else cell.kept++
    this.#count(isBroken ? 0 : 1, isBroken ? 1 : 0)
  }

  /** Verdicts, a promise of a round each, and faults that were to be done. */
  get counts(): { readonly passed: number; readonly failed: number } {
    // What was never done has shown nothing.
    return this.#rows.size === 0 ? { passed: 0, failed: 1 } : this.#counts
  }

  lines(): string[] {
    const width = Math.max(...[...this.#rows.keys()].map(({ length }) => length))
    const head = promiseTitles.map((_, index) => String(index + 1).padStart(6)).join('')
    const rows = [...this.#rows].map(
      ([name, cells]) => name.padEnd(width) + cells.map((cell) => textOf(cell).padStart(6)).join(''),
    )
    const titles = promiseTitles.map((title, index) => `${index + 1} ${title}`)
    return [`${''.padEnd(width)}${head}`, ...rows, '', ...legend, '', ...titles]
  }

  #count(passed: number, failed: number): void {
    this.#counts.passed += passed
    this.#counts.failed += failed
  }
}

function textOf({ kept, broken }: Cell): string {
  if (broken > 0) return `${kept}/${kept + broken}!`
  return kept === 0 ? '-' : String(kept)
}
