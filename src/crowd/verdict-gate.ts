import type { JournalEntry } from './journal.ts'
import type { Case, Finding } from './verdict.ts'

interface OpenToken {
  readonly fromMs: number
  /** Until here it was valid for certain. */
  readonly toMs: number
}

/** At no instant are more purchase tokens valid than `maxActive`. */
export function judgeGate(history: Case): Finding {
  const tokens = validTokens(history)
  const steps = tokens
    .filter(({ fromMs, toMs }) => fromMs < toMs)
    .flatMap(({ fromMs, toMs }) => [
      { atMs: fromMs, change: 1 },
      { atMs: toMs, change: -1 },
    ])
    // At the same instant the one that goes makes room for the one that comes.
    .toSorted((a, b) => a.atMs - b.atMs || a.change - b.change)
  const { maxActive } = history.sale
  let [valid, most, mostAtMs] = [0, 0, 0]
  for (const { atMs, change } of steps) {
    valid += change
    if (valid > most) [most, mostAtMs] = [valid, atMs]
  }
  const breach = `${most} tokens were valid at ${new Date(mostAtMs).toISOString()}; the gate allows ${maxActive}`
  return { checked: tokens.length, breaches: most > maxActive ? [breach] : [] }
}

/** No minute, wherever it begins, lets more people in than `ratePerMinute`. */
export function judgePace({ stays, sale }: Case): Finding {
  const times = stays
    .flatMap(({ admissions }) => admissions.map(({ admittedAtMs }) => admittedAtMs))
    .toSorted((a, b) => a - b)
  const first = times.findIndex((fromMs, index) => {
    const oneTooMany = times[index + sale.ratePerMinute]
    return oneTooMany !== undefined && oneTooMany - fromMs < 60_000
  })
  if (first === -1) return { checked: times.length, breaches: [] }
  const from = times[first] ?? 0
  const count = times.filter((atMs) => atMs >= from && atMs < from + 60_000).length
  const breach = `${count} were let in within the minute from ${new Date(from).toISOString()}; the pace is ${sale.ratePerMinute}`
  return { checked: times.length, breaches: [breach] }
}

/** A token is valid for certain until its end, or until something was sent that may have closed it. */
function validTokens({ stays, entries, sale, aheadMs }: Case): OpenToken[] {
  const filledAtMs = ordersUpToTheLimit(entries, sale.maxPerAccount)
  return stays.flatMap(({ buyer, admissions, leftAtMs = Number.POSITIVE_INFINITY }) =>
    admissions.map(({ admittedAtMs, expiresAtMs }) => {
      const closings = (filledAtMs.get(buyer) ?? []).filter((atMs) => atMs >= admittedAtMs)
      const closedAtMs = Math.min(leftAtMs, ...closings) - aheadMs
      return { fromMs: admittedAtMs, toMs: Math.min(expiresAtMs, closedAtMs) }
    }),
  )
}

/** When each buyer sent an order that, with all it had sent before, may have come to what one account may have. */
function ordersUpToTheLimit(entries: readonly JournalEntry[], limit: number): Map<string, number[]> {
  const sent = new Map<string, number>()
  const filled = new Map<string, number[]>()
  for (const entry of entries) {
    if (entry.type !== 'order-sent') continue
    const places = (sent.get(entry.buyer) ?? 0) + entry.places
    sent.set(entry.buyer, places)
    if (places >= limit) filled.set(entry.buyer, [...(filled.get(entry.buyer) ?? []), entry.atMs])
  }
  return filled
}
