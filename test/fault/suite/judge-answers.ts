import { groupedBy } from '../../../src/crowd/grouped-by.ts'
import type { Call } from './history.ts'
import { orderCalls, ordersTold } from './orders-told.ts'
import { judgedTogether, type Breach, type Judged } from './promises.ts'
import type { OrderRow } from './tenures.ts'

/** What was answered agrees with itself, and with what PostgreSQL has. */
export function judgeAnswers(
  calls: readonly Call[],
  { orders, epochMs }: { orders: readonly OrderRow[]; epochMs: number },
): Judged {
  const breaches = [
    ...refusedAndBooked(calls, orders),
    ...orderedLate(calls, epochMs),
    ...unrepeatable(calls),
    ...wrongAnswers(calls),
    ...saidAndGone(calls, orders),
  ]
  const looked = { booked: saidBooked(calls).size, unsold: unsold(calls, orders) }
  return judgedTogether([unlikeAnswers(calls), { breaches, looked }])
}

/** What goes wrong inside is no answer: what cannot be done now is said to be possible later, and when. */
function wrongAnswers(calls: readonly Call[]): Breach[] {
  const wrong = calls.filter(
    ({ status = 0, retryAfter }) => status >= 500 && (status !== 503 || retryAfter === ''),
  )
  return wrong.map(({ method, path, status, answer }) => ({
    promise: 4,
    what: `wrong answer: ${method} ${path} → ${status}${status === 503 ? ' without Retry-After' : ''} ${answer.slice(0, 240)}`,
  }))
}

/** Whatever was said to be booked, to anybody, is booked, or was given back since. */
function saidAndGone(calls: readonly Call[], orders: readonly OrderRow[]): Breach[] {
  const byId = new Map(orders.map((order) => [order.id, order.status]))
  return [...saidBooked(calls)].flatMap(([id, { method, path }]) => {
    const now = byId.get(id)
    if (now === 'booked' || now === 'cancelled') return []
    return [
      { promise: 4, what: `${method} ${path} said that ${id} is booked, and it is ${now ?? 'nowhere'}` },
    ]
  })
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
function unlikeAnswers(calls: readonly Call[]): Judged {
  const keyed = calls.filter(({ key, method, status }) => key !== '' && method === 'POST' && status === 201)
  const byKey = groupedBy(keyed, ({ who, path, key }) => `${who} ${path} ${key}`)
  const repeated = [...byKey.values()].filter(({ length }) => length > 1)
  const breaches = repeated.flatMap((same) => {
    const made = new Set(
      same.map(({ answer }) => /"id":"(\w+)"/.exec(answer)?.[1]).filter((id) => id !== undefined),
    )
    if (made.size <= 1) return []
    return [{ promise: 7, what: `one call, sent ${same.length} times, made ${[...made].join(' and ')}` }]
  })
  return { breaches, looked: { repeats: repeated.length + joinedAgain(calls) } }
}

/** Those who joined once more, with another tab, a ticket, or an impatient finger: the crowd says whether it was one place. */
function joinedAgain(calls: readonly Call[]): number {
  const joins = calls.filter(
    (call) => call.method === 'POST' && call.path.endsWith('/queue') && isSuccess(call),
  )
  return [...groupedBy(joins, ({ who, path }) => `${who} ${path}`).values()].filter(
    ({ length }) => length > 1,
  ).length
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
  return holdsTold(calls).flatMap((hold) => {
    const asked = firstAsked.get(hold.id)
    const lateMs = (asked?.atMs ?? 0) + epochMs - Date.parse(hold.expiresAt)
    if (asked === undefined || lateMs < slackMs || !isSuccess(asked)) return []
    return [{ promise: 8, what: `${hold.id} was ordered ${Math.round(lateMs)} ms after its end` }]
  })
}

/** Holds that somebody was told of and that were not bought, or given back afterwards. */
function unsold(calls: readonly Call[], orders: readonly OrderRow[]): number {
  const bought = new Set(orders.filter(({ status }) => status === 'booked').map(({ hold }) => hold))
  return new Set(holdsTold(calls).flatMap(({ id }) => (bought.has(id) ? [] : [id]))).size
}

/** As often as they were told. */
function holdsTold(calls: readonly Call[]): { readonly id: string; readonly expiresAt: string }[] {
  const held = calls.filter(
    ({ method, path, status, answer }) =>
      method === 'POST' && path.endsWith('/holds') && status === 201 && answer !== '',
  )
  return held.map(({ answer }) => (JSON.parse(answer) as { hold: { id: string; expiresAt: string } }).hold)
}

/** Orders of which anybody, whatever they had asked, was told that they are booked. */
function saidBooked(calls: readonly Call[]): Map<string, Call> {
  const booked = ordersTold(calls).filter(({ status }) => status === 'booked')
  return new Map(booked.map(({ id, call }) => [id, call]))
}

function isSuccess({ status }: Call): boolean {
  return status !== undefined && status >= 200 && status < 300
}
