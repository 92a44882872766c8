import { groupedBy } from '../../../src/crowd/grouped-by.ts'
import type { Call } from './history.ts'
import type { Breach } from './promises.ts'
import type { OrderRow } from './tenures.ts'

/** What was answered agrees with itself, and with what PostgreSQL has. */
export function judgeAnswers(
  calls: readonly Call[],
  { orders, epochMs }: { orders: readonly OrderRow[]; epochMs: number },
): Breach[] {
  return [
    ...unlikeAnswers(calls),
    ...refusedAndBooked(calls, orders),
    ...orderedLate(calls, epochMs),
    ...unrepeatable(calls),
  ]
}

/** What does the same however often it comes, and under whatever key; one guest more is nobody’s loss. */
const sameUnderAnyKey = /\/(?:orders|queue|cancel|guest)$/

/** What was not answered may have been done: so it names itself by a key, or does the same however often it comes. */
function unrepeatable(calls: readonly Call[]): Breach[] {
  const reset = calls.filter(
    ({ status, key, method, path }) =>
      status === 0 && key === '' && method === 'POST' && !sameUnderAnyKey.test(path),
  )
  return reset.map(({ method, path, answer }) => ({
    promise: 4,
    what: `${method} ${path} was not answered and has no key under which it can come again: ${answer}`,
  }))
}

/** A call that came again under its key made nothing more: all answers name the same thing. */
function unlikeAnswers(calls: readonly Call[]): Breach[] {
  const keyed = calls.filter(({ key, method, status }) => key !== '' && method === 'POST' && status === 201)
  const byKey = groupedBy(keyed, ({ who, path, key }) => `${who} ${path} ${key}`)
  return [...byKey.values()].flatMap((same) => {
    const made = new Set(
      same.map(({ answer }) => /"id":"(\w+)"/.exec(answer)?.[1]).filter((id) => id !== undefined),
    )
    if (made.size <= 1) return []
    return [{ promise: 7, what: `one call, sent ${same.length} times, made ${[...made].join(' and ')}` }]
  })
}

const refusals = new Set([404, 409, 410])

/** Whoever was told that nothing came of a hold has not bought it. */
function refusedAndBooked(calls: readonly Call[], orders: readonly OrderRow[]): Breach[] {
  const booked = new Map(orders.filter(({ status }) => status === 'booked').map((row) => [row.hold, row]))
  return orderCalls(calls).flatMap(({ hold, call }) => {
    const row = booked.get(hold)
    if (row === undefined || !refusals.has(call.status ?? 0)) return []
    return [{ promise: 4, what: `an order of ${hold} was refused, and ${row.id} is booked` }]
  })
}

/** Between the clock of the stores and ours, on one machine. */
const slackMs = 50

/** A hold that nobody ordered by its end is gone. */
function orderedLate(calls: readonly Call[], epochMs: number): Breach[] {
  const firstAsked = new Map<string, Call>()
  for (const { hold, call } of orderCalls(calls)) if (!firstAsked.has(hold)) firstAsked.set(hold, call)
  const held = calls.filter(
    ({ method, path, status, answer }) =>
      method === 'POST' && path.endsWith('/holds') && status === 201 && answer !== '',
  )
  return held.flatMap(({ answer }) => {
    const { hold } = JSON.parse(answer) as { hold: { id: string; expiresAt: string } }
    const asked = firstAsked.get(hold.id)
    const lateMs = (asked?.atMs ?? 0) + epochMs - Date.parse(hold.expiresAt)
    if (asked === undefined || lateMs < slackMs || !isSuccess(asked)) return []
    return [{ promise: 8, what: `${hold.id} was ordered ${Math.round(lateMs)} ms after its end` }]
  })
}

function isSuccess({ status }: Call): boolean {
  return status !== undefined && status >= 200 && status < 300
}

function orderCalls(calls: readonly Call[]): { readonly hold: string; readonly call: Call }[] {
  return calls.flatMap((call) => {
    if (call.method !== 'POST' || !call.path.endsWith('/orders')) return []
    const hold = /"hold":"(\w+)"/.exec(call.sent)?.[1]
    return hold === undefined ? [] : [{ hold, call }]
  })
}
