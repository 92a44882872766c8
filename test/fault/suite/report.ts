import { lookedAt } from './grounds.ts'
import { promiseTitles, type Breach } from './promises.ts'
import type { RoundReport } from './round.ts'

const wordsOfBreach = /\b(?:ord|usr|hol|bkg|sal)_\w+/g

/** What a round came to, and how much was looked at; where something was not kept, each breach with the calls that show it. */
export function roundLines(report: RoundReport): string[] {
  const { plan, breaches, unseen, cutShort, history, booked, looked } = report
  const done = plan.faults.map(({ name }) => name).join('; ')
  const head = `round ${plan.number} of seed ${plan.seed}, ${plan.together} at a time: ${done}: ${booked} booked, ${history.calls.length} calls`
  const wrong = breaches.length + unseen.length
  return [
    `${head}: ${wrong === 0 ? 'all kept' : `${wrong} BREACHES`}`,
    `  looked at: ${lookedAt(looked)}`,
    ...cutShort.map(({ name, why }) => `  cut short: ${name}: ${why}`),
    ...unseen.map(titleLine),
    ...unlike(breaches).flatMap(breachLines),
  ]

  function titleLine({ promise, what }: Breach): string {
    return `  ${promise} ${promiseTitles[promise - 1]}: ${what} (seed ${plan.seed}, round ${plan.number})`
  }

  function breachLines(breach: Breach): string[] {
    const words = [...new Set(breach.what.match(wordsOfBreach) ?? [])].filter(
      (word) => !word.startsWith('sal_'),
    )
    return [titleLine(breach), ...history.about(words).map((line) => `    ${line}`)]
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
