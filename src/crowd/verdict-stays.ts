import { groupedBy } from './grouped-by.ts'
import type { JournalEntry } from './journal.ts'

/** One account's stay in a line, from the first answer to its join until it left, was let in, or nothing more is known. */
export interface Stay {
  readonly buyer: string
  /** The place it was given first: that one must count, whatever the server forgot meanwhile. */
  readonly sequence: number
  readonly joinedAtMs: number
  /** Pairs of places that the account had at the same time. */
  readonly doubles: readonly (readonly [number, number])[]
  readonly admissions: readonly StayAdmission[]
  /** When the server last said that it waits, if it was never heard to be let in. */
  readonly seenWaitingMs: number | undefined
  /** When it asked to leave; what came of that may be unknown. */
  readonly leftAtMs: number | undefined
  /** The times while it waited without a connection, the last one perhaps without an end. */
  readonly gaps: readonly { readonly fromMs: number; readonly toMs: number }[]
}

/** Times of the server. */
export interface StayAdmission {
  readonly sequence: number
  readonly admittedAtMs: number
  readonly expiresAtMs: number
}

/** All stays in a history of one sale. */
export function stays(entries: readonly JournalEntry[]): Stay[] {
  return [...groupedBy(entries, (entry) => entry.buyer).values()].flatMap(staysOfBuyer)
}

interface OpenStay {
  readonly buyer: string
  readonly sequence: number
  readonly joinedAtMs: number
  readonly doubles: [number, number][]
  readonly admissions: StayAdmission[]
  readonly gaps: { fromMs: number; toMs: number }[]
  seenWaitingMs: number | undefined
  leftAtMs: number | undefined
  current: number
  isLost: boolean
  isOver: boolean
}

function staysOfBuyer(entries: readonly JournalEntry[]): Stay[] {
  const found: OpenStay[] = []
  for (const entry of entries) {
    const last = found.at(-1)
    if (entry.type === 'joined') {
      if (last === undefined || last.isOver) found.push(begun(entry))
      else noteJoin(last, entry.sequence)
    } else if (last !== undefined) {
      heed(last, entry)
    }
  }
  return found
}

/** Without a connection until one is told of. */
function begun(entry: JournalEntry & { type: 'joined' }): OpenStay {
  return {
    buyer: entry.buyer,
    sequence: entry.sequence,
    joinedAtMs: entry.atMs,
    doubles: [],
    admissions: [],
    gaps: [{ fromMs: entry.atMs, toMs: Number.POSITIVE_INFINITY }],
    seenWaitingMs: undefined,
    leftAtMs: undefined,
    current: entry.sequence,
    isLost: false,
    isOver: false,
  }
}

/** Another place is no second one when the server said that the first is gone, or began a new epoch. */
function noteJoin(stay: OpenStay, sequence: number): void {
  const isOther = sequence !== stay.current
  if (isOther && !stay.isLost && epochOf(sequence) === epochOf(stay.current)) {
    stay.doubles.push([stay.current, sequence])
  }
  stay.current = sequence
  stay.isLost = false
}

function heed(stay: OpenStay, entry: JournalEntry): void {
  if (entry.type === 'connected') closeGap(stay, entry.atMs)
  else if (entry.type === 'disconnected') openGap(stay, entry.atMs)
  else if (entry.type === 'absent') stay.isLost = true
  else if (entry.type === 'seen-waiting') stay.seenWaitingMs = entry.lastAtMs
  else if (entry.type === 'ended') stay.isOver = true
  else if (entry.type === 'admitted') noteAdmission(stay, entry)
  else if (entry.type === 'leave-sent') {
    stay.leftAtMs ??= entry.atMs
    stay.isOver = true
  }
}

function noteAdmission(stay: OpenStay, { sequence, admittedAtMs, expiresAtMs }: StayAdmission): void {
  if (stay.admissions.some((known) => known.sequence === sequence)) return
  stay.admissions.push({ sequence, admittedAtMs, expiresAtMs })
}

function openGap(stay: OpenStay, fromMs: number): void {
  if (stay.gaps.at(-1)?.toMs !== Number.POSITIVE_INFINITY) {
    stay.gaps.push({ fromMs, toMs: Number.POSITIVE_INFINITY })
  }
}

function closeGap(stay: OpenStay, toMs: number): void {
  const last = stay.gaps.at(-1)
  if (last !== undefined) last.toMs = Math.min(last.toMs, toMs)
}

/** The upper half of a sequence. */
function epochOf(sequence: number): number {
  return Math.floor(sequence / 2 ** 32)
}
