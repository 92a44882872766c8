/**
 * The states of an account in the line of a sale.
 *
 * | state    | what is true in it |
 * |----------|--------------------|
 * | entered  | it takes part in a draw that is still to come |
 * | waiting  | it has a sequence in the line; `ahead` others come first |
 * | aside    | its turn came while nobody was there; whoever comes back by `untilMs` is first again |
 * | admitted | its admission is durable and open; the purchase token it was given is valid until `expiresAtMs` |
 * | absent   | it has neither |
 *
 * absent → entered (join before the opening of a lottery) → waiting (the draw);
 * absent → waiting (join, or a ticket put back) → admitted (the gate) → absent (booked up to the limit, left, ended);
 * waiting ⇄ aside (away, back) → absent (away for too long).
 */
export type QueuePlace =
  | EnteredPlace
  | WaitingPlace
  | AsidePlace
  | AdmittedPlace
  | { readonly state: 'absent' }

export interface EnteredPlace {
  readonly state: 'entered'
  readonly entryId: string
}

export interface WaitingPlace {
  readonly state: 'waiting'
  readonly sequence: number
  /** How many come before this account; 0 is the front. */
  readonly ahead: number
  readonly behind: number
}

export interface AsidePlace {
  readonly state: 'aside'
  readonly sequence: number
  readonly untilMs: number
}

export interface AdmittedPlace extends Admission {
  readonly state: 'admitted'
}

/** One admission: who was let in is written beside it; `sequence` names it and is the token's `jti`. */
export interface Admission {
  readonly sequence: number
  readonly admittedAtMs: number
  readonly expiresAtMs: number
}

/** An admission as scripts write it: `sequence:expires_ms:admitted_ms`. */
export function parseAdmission(record: string): Admission {
  const [sequence, expiresAtMs, admittedAtMs] = record.split(':').map(Number)
  if (sequence === undefined || expiresAtMs === undefined || admittedAtMs === undefined) {
    throw new Error(`not an admission: ${record}`)
  }
  return { sequence, expiresAtMs, admittedAtMs }
}

/** The id of the purchase token of an admission. */
export function tokenIdOf(sequence: number): string {
  return sequence.toString(36)
}

/** The sequence a token id names; undefined when it is none. */
export function sequenceOfTokenId(jti: string): number | undefined {
  if (!/^[0-9a-z]{1,11}$/.test(jti)) return undefined
  const sequence = Number.parseInt(jti, 36)
  return Number.isSafeInteger(sequence) ? sequence : undefined
}

/** The epoch in which a sequence was given: sequence = epoch · 2^32 + n. */
export function epochOfSequence(sequence: number): number {
  return Math.floor(sequence / 2 ** 32)
}

/**
 * Seconds until one's turn if the gate keeps its pace.
 * @param ahead how many come first
 * @param perMinute the pace, admissions a minute
 */
export function etaSeconds(ahead: number, perMinute: number): number {
  return Math.ceil(((ahead + 1) * 60) / perMinute)
}

/** What the gate does: the pace that was set, and what came of it. */
export interface GatePace {
  readonly ratePerMinute: number
  /** How many were let in within the last minute. */
  readonly admittedLastMinute: number
  /** The gate waits for room inside, or for places, rather than for the pace. */
  readonly isFull: boolean
}

/** Admissions a minute as they are to be expected: as set, unless the gate is kept from it. */
export function expectedPace({ ratePerMinute, admittedLastMinute, isFull }: GatePace): number {
  if (!isFull) return ratePerMinute
  return Math.min(ratePerMinute, Math.max(1, admittedLastMinute))
}

/**
 * How old what a waiter knows may become: 5 % of the wait that is left when it does, never less than a second asked for,
 * and 30 seconds at the most. `onTheWayMs` of it goes by before an edge knows and a client has heard.
 */
const staleness = { part: 0.05, leastMs: 1000, mostMs: 30_000, onTheWayMs: 600 } as const

/**
 * When a waiter is to be told again, in milliseconds from now. By their sequence some are told up to a quarter earlier, so
 * that those who came at the same moment are not told at the same moment for ever.
 */
export function tellAgainMs(etaSecondsLeft: number, sequence = 0): number {
  const { part, leastMs, mostMs, onTheWayMs } = staleness
  const allowedMs = (etaSecondsLeft * 1000 * part) / (1 + part)
  const latestMs = Math.min(mostMs, Math.max(leastMs, allowedMs)) - onTheWayMs
  return latestMs * (1 - (sequence % 16) / 64)
}
