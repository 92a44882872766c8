import type { Breach, Looked } from './promises.ts'

interface GroundKind {
  readonly promise: number
  readonly what: string
  /** With fewer a round says nothing of the promise. */
  readonly least: number
}

/** What each promise is held against in a round. */
export const grounds = {
  // Some people after others: of seats that nobody asks for twice none can be sold twice.
  tenures: { promise: 1, what: 'tenures of a seat or a place', least: 20 },
  // Each is compared with all others; where all is killed few have stayed.
  stays: { promise: 2, what: 'stays in a line', least: 5 },
  // More than the gate of seats takes at once: fewer could not be too many.
  tokens: { promise: 3, what: 'tokens', least: 13 },
  // What is forgotten is forgotten by the moment: of a few some are said in the bad ones.
  booked: { promise: 4, what: 'orders that were said to be booked', least: 5 },
  // A slow machine sells few seats in a world of several servers; each charge is one that could be kept.
  charges: { promise: 5, what: 'charges that were approved', least: 2 },
  // A position that one alone was told can contradict nobody.
  positions: { promise: 6, what: 'positions that several were told', least: 20 },
  // Of every hundred calls a few come again, and of every hundred people a dozen join twice.
  repeats: { promise: 7, what: 'calls that came again', least: 5 },
  // Who gives back and who lets it run out are few.
  unsold: { promise: 8, what: 'holds that were not bought', least: 3 },
} as const satisfies Readonly<Record<string, GroundKind>>

export type Ground = keyof typeof grounds

/** A promise that was held against nothing was not shown to be kept. */
export function unseen(looked: Looked): Breach[] {
  return (Object.keys(grounds) as Ground[]).flatMap((name) => {
    const { promise, what, least } = grounds[name]
    const count = looked[name] ?? 0
    if (count >= least) return []
    return [
      { promise, what: `nothing was looked at: ${count} ${what}, and it takes ${least} to say anything` },
    ]
  })
}

/** As much as there was to look at, in a line. */
export function lookedAt(looked: Looked): string {
  return (Object.keys(grounds) as Ground[])
    .map((name) => `${looked[name] ?? 0} ${grounds[name].what}`)
    .join(', ')
}
