import { promiseTitles, type Breach } from './promises.ts'
import type { RoundReport } from './round.ts'

const wordsOfBreach = /\b(?:ord|usr|hol|bkg|sal)_\w+/g

/** What a round came to: a line where everything was kept, else each breach with the calls that show it. */
export function roundLines({ plan, breaches, cutShort, history, booked }: RoundReport): string[] {
  const done = plan.faults.map(({ name }) => name).join('; ')
  const head = `round ${plan.number}, ${plan.together} at a time: ${done}: ${booked} booked, ${history.calls.length} calls`
  const short = cutShort.map((what) => `  cut short: ${what}`)
  if (breaches.length === 0) return [`${head}: all kept`, ...short]
  return [
    `${head}: ${breaches.length} BREACHES`,
    ...short,
    ...unlike(breaches).flatMap((breach) => breachLines(breach)),
  ]

  function breachLines({ promise, what }: Breach): string[] {
    const words = [...new Set(what.match(wordsOfBreach) ?? [])].filter((word) => !word.startsWith('sal_'))
    return [
      `  ${promise} ${promiseTitles[promise - 1]}: ${what}`,
      ...history.about(words).map((line) => `    ${line}`),
    ]
  }
}

/** A few of each kind say as much as hundreds. */
function unlike(breaches: readonly Breach[]): Breach[] {
  const shown = new Map<number, number>()
  return breaches.filter(({ promise }) => {
    const count = (shown.get(promise) ?? 0) + 1
    shown.set(promise, count)
    return count <= 3
  })
}

/** Promise × fault: how often a promise was held against the history of rounds with that fault, and was broken. */
export class PromiseTable {
  #notDone = 0
  readonly #cells = new Map<string, { kept: number; broken: number }[]>()

  add({ plan, breaches, cutShort }: RoundReport): void {
    const broken = new Set(breaches.map(({ promise }) => promise))
    this.#notDone += cutShort.length
    for (const { name } of plan.faults) {
      const row = this.#cells.get(name) ?? promiseTitles.map(() => ({ kept: 0, broken: 0 }))
      row.forEach((cell, index) => (broken.has(index + 1) ? cell.broken++ : cell.kept++))
      this.#cells.set(name, row)
    }
  }

  /** One promise was judged once more, long after a fault. */
  addLater(fault: string, promise: number, isBroken: boolean): void {
    const cell = this.#cells.get(fault)?.[promise - 1]
    if (cell === undefined) throw new Error(`nothing was said of ${fault} before`)
    if (isBroken) cell.broken++
    else cell.kept++
  }

  get counts(): { readonly passed: number; readonly failed: number } {
    const cells = [...this.#cells.values()].flat()
    const sum = (read: (cell: (typeof cells)[number]) => number) =>
      cells.reduce((total, cell) => total + read(cell), 0)
    // What was not done to its end has shown nothing, nor has nothing at all.
    const failed = sum(({ broken }) => broken) + this.#notDone
    return { passed: sum(({ kept }) => kept), failed: cells.length === 0 ? 1 : failed }
  }

  lines(): string[] {
    const width = Math.max(...[...this.#cells.keys()].map(({ length }) => length))
    const head = promiseTitles.map((_, index) => String(index + 1).padStart(6)).join('')
    const rows = [...this.#cells].map(
      ([name, cells]) =>
        name.padEnd(width) +
        cells.map(({ kept, broken }) => (broken > 0 ? `${broken}!` : `${kept}`).padStart(6)).join(''),
    )
    return [
      `${''.padEnd(width)}${head}`,
      ...rows,
      '',
      ...promiseTitles.map((title, index) => `${index + 1} ${title}`),
    ]
  }
}
