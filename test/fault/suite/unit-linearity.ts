/**
 * How long somebody had a place of a unit, as far as it is known from outside. It was given at some moment of
 * `[givenFromMs, givenByMs]` and did not end before `endsFromMs`: a hold that was let go of or ran out, an order that
 * ended. What is sold ends never.
 */
export interface Tenure {
  /** Names it, wherever calls name it. */
  readonly hold: string
  readonly givenFromMs: number
  readonly givenByMs: number
  readonly endsFromMs: number
}

/**
 * A seat goes from free to held to pending to sold, or back to free from each, and belongs to one at a time. Its history
 * can have been one where its tenures have an order in which each was given within its time, after the end of the one
 * before: one must come after another when it surely lasted beyond the last moment at which that can have been given.
 * No such order is left only where these demands form a ring, and then two of it contradict each other already: of the
 * ring, the one that must have been given first, and the one before which it cannot have ended.
 * @returns two tenures that no order allows; undefined where the history can have been that of one seat
 */
export function contradictionOf(tenures: readonly Tenure[]): readonly [Tenure, Tenure] | undefined {
  for (const [index, one] of tenures.entries()) {
    const other = tenures.slice(index + 1).find((later) => outlasts(one, later) && outlasts(later, one))
    if (other !== undefined) return [one, other]
  }
  return undefined
}

function outlasts(one: Tenure, other: Tenure): boolean {
  return Math.max(one.givenFromMs, one.endsFromMs) > other.givenByMs
}

/**
 * Of a unit with many places: the tenures that all surely lasted at one moment and are more than it has.
 * @returns none where there is no such moment
 */
export function crowdedMoment(tenures: readonly Tenure[], capacity: number): readonly Tenure[] {
  const sure = tenures.filter(({ givenByMs, endsFromMs }) => givenByMs < endsFromMs)
  for (const { givenByMs: atMs } of sure) {
    const there = sure.filter((tenure) => tenure.givenByMs <= atMs && atMs < tenure.endsFromMs)
    if (there.length > capacity) return there
  }
  return []
}
