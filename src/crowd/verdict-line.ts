import { groupedBy } from './grouped-by.ts'
import type { Case, Finding } from './verdict.ts'
import type { Stay } from './verdict-stays.ts'

/** Away for longer than this, an account is not one that stayed: the server may have given it up after a loss. */
const gapMaxMs = 10_000

/** How old what the server says about a place may be when it arrives. */
const messageAgeMaxMs = 5_000

/**
 * Nobody is let in before someone who came earlier and stayed: of two who joined, the one with the lower sequence must
 * have been let in first. Who was never heard to be let in counts for as long as the server said that it waits: it may
 * have been let in and have left without having heard of it.
 */
export function judgeOrder({ stays, aheadMs, endedAtMs }: Case): Finding {
  const bySequence = stays.toSorted((a, b) => a.sequence - b.sequence)
  const breaches: string[] = []
  let checked = 0
  let earliest: { stay: Stay; admittedAtMs: number } | undefined
  // From the back: who is let in earliest among those who came later?
  for (const stay of bySequence.toReversed()) {
    const admittedAtMs = stay.admissions[0]?.admittedAtMs
    const waitedUntilMs = admittedAtMs ?? (stay.seenWaitingMs ?? 0) - aheadMs - messageAgeMaxMs
    if (hasStayed(stay, Math.min(waitedUntilMs + aheadMs, endedAtMs))) {
      checked++
      if (earliest !== undefined && earliest.admittedAtMs < waitedUntilMs) {
        breaches.push(
          `${earliest.stay.buyer} (place ${earliest.stay.sequence}) was let in before ${stay.buyer} (place ${stay.sequence}), at ${earliest.admittedAtMs}, and not at ${waitedUntilMs}`,
        )
      }
    }
    if (admittedAtMs !== undefined && admittedAtMs < (earliest?.admittedAtMs ?? Number.POSITIVE_INFINITY)) {
      earliest = { stay, admittedAtMs }
    }
  }
  return { checked, breaches }
}

/** Never two places, never two purchase tokens that are surely valid at the same time. */
export function judgePlaces({ stays, aheadMs }: Case): Finding {
  const doubles = stays.flatMap((stay) =>
    stay.doubles.map(([one, other]) => `${stay.buyer} had the places ${one} and ${other} at once`),
  )
  const byBuyer = groupedBy(stays, (stay) => stay.buyer)
  const tokens = [...byBuyer.values()].flatMap((own) => doubleTokens(own, aheadMs))
  return { checked: stays.length, breaches: [...doubles, ...tokens] }
}

function doubleTokens(own: readonly Stay[], aheadMs: number): string[] {
  const open = own
    .flatMap(({ buyer, admissions, leftAtMs = Number.POSITIVE_INFINITY }) =>
      admissions.map((admission) => ({
        buyer,
        ...admission,
        endsAtMs: Math.min(admission.expiresAtMs, leftAtMs - aheadMs),
      })),
    )
    .toSorted((a, b) => a.admittedAtMs - b.admittedAtMs)
  return open.flatMap((admission, index) => {
    const before = open[index - 1]
    if (before === undefined || before.sequence === admission.sequence) return []
    if (admission.admittedAtMs >= before.endsAtMs) return []
    return [`${admission.buyer} was let in twice: as ${before.sequence} and as ${admission.sequence}`]
  })
}

function hasStayed(stay: Stay, untilMs: number): boolean {
  return stay.gaps.every(({ fromMs, toMs }) => Math.min(toMs, untilMs) - fromMs <= gapMaxMs)
}
