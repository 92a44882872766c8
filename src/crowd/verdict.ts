import type { OrderMessage } from '../domain/orders/order-messages.ts'
import type { JournalEntry } from './journal.ts'
import { judgeGate, judgePace } from './verdict-gate.ts'
import { judgeOrder, judgePlaces } from './verdict-line.ts'
import { judgeLimit, judgeSaid, judgeStock, judgeTickets } from './verdict-orders.ts'
import { judgeRoom } from './verdict-room.ts'
import { stays, type Stay } from './verdict-stays.ts'

/** What is known of a sale before the crowd comes. */
export interface SaleFacts {
  readonly id: string
  /** The highest that was set while the crowd was there, as are the two after it. */
  readonly ratePerMinute: number
  readonly maxActive: number
  readonly maxPerAccount: number
  /** Places of each unit, by its code. */
  readonly capacities: ReadonlyMap<string, number>
}

/** All orders of a buyer, as the server tells them at the end. */
export interface AuditedBuyer {
  readonly buyer: string
  readonly orders: readonly OrderMessage[]
}

/** What happened, as seen from outside. */
export interface History {
  readonly sale: SaleFacts
  /** Of this sale alone, in the order in which they were written. */
  readonly entries: readonly JournalEntry[]
  readonly audit: readonly AuditedBuyer[]
  /** What stands in the room of the store in the end; nothing where there is none. */
  readonly room: readonly { readonly seq: number; readonly text: string }[]
  readonly endedAtMs: number
}

/** A history, and what several judges read out of it. */
export interface Case extends History {
  readonly stays: readonly Stay[]
  /**
   * At least how much the crowd's clock runs ahead of the server's, network included. A moment of the crowd's clock
   * minus this is never later than it was at the server.
   */
  readonly aheadMs: number
}

export interface Finding {
  /** How many things were looked at. */
  readonly checked: number
  /** One sentence for each breach. */
  readonly breaches: readonly string[]
}

export const promises = {
  stock: 'Never oversold',
  order: 'First come, first served',
  gate: 'The gate holds: people at once',
  pace: 'The gate holds: people a minute',
  said: 'Said is done',
  tickets: 'Every booking has its ticket',
  places: 'One account, one place',
  limit: 'One account, no more than allowed',
  room: 'What is said in a room stands there, once',
} as const
export type PromiseName = keyof typeof promises
export const promiseNames = Object.keys(promises) as PromiseName[]

const judges: Readonly<Record<PromiseName, (history: Case) => Finding>> = {
  stock: judgeStock,
  order: judgeOrder,
  gate: judgeGate,
  pace: judgePace,
  said: judgeSaid,
  tickets: judgeTickets,
  places: judgePlaces,
  limit: judgeLimit,
  room: judgeRoom,
}

export type Verdict = Readonly<Record<PromiseName, Finding>>

/** Holds a history against each promise. What is not known for certain is never held against the server. */
export function verdict(history: History): Verdict {
  const aheadMs = history.entries
    .flatMap(clockDistance)
    .reduce((least, distance) => Math.min(least, distance), Number.POSITIVE_INFINITY)
  const all: Case = {
    ...history,
    stays: stays(history.entries),
    aheadMs: Number.isFinite(aheadMs) ? aheadMs : 0,
  }
  const findings = promiseNames.map((name): [PromiseName, Finding] => [name, judges[name](all)])
  return Object.fromEntries(findings) as Record<PromiseName, Finding>
}

/** The verdicts on several sales as one. */
export function together(verdicts: readonly Verdict[]): Verdict {
  const findings = promiseNames.map((name): [PromiseName, Finding] => {
    const each = verdicts.map((one) => one[name])
    const checked = each.reduce((sum, finding) => sum + finding.checked, 0)
    return [name, { checked, breaches: each.flatMap((finding) => finding.breaches) }]
  })
  return Object.fromEntries(findings) as Record<PromiseName, Finding>
}

export function isKept(judged: Verdict): boolean {
  return Object.values(judged).every((finding) => finding.breaches.length === 0)
}

/** An admission is told after it was made: the shortest such way bounds how far the two clocks are apart. */
function clockDistance(entry: JournalEntry): number[] {
  return entry.type === 'admitted' ? [entry.atMs - entry.admittedAtMs] : []
}
