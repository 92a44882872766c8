import type { Call } from './history.ts'

/** An order, as an answer to anybody told of it. */
export interface OrderTold {
  readonly id: string
  readonly status: string
  readonly call: Call
}

/** Alone, with others of an account, or as what came of a hold; what is in it comes after its status. */
const orderShape = /"id":"(ord_\w+)"[^{}]*?"status":"(\w+)"/g

export function ordersTold(calls: readonly Call[]): OrderTold[] {
  return calls.flatMap((call) =>
    [...call.answer.matchAll(orderShape)].map(([, id = '', status = '']) => ({ id, status, call })),
  )
}

/** When each order was told of first as one that is written, by its id. */
export function firstTold(calls: readonly Call[]): Map<string, number> {
  const first = new Map<string, number>()
  for (const { id, status, call } of ordersTold(calls)) {
    if (status === 'saving' || call.endMs === undefined) continue
    first.set(id, Math.min(first.get(id) ?? Infinity, call.endMs))
  }
  return first
}

/** Calls that ask for an order, of the hold that they name. */
export function orderCalls(calls: readonly Call[]): { readonly hold: string; readonly call: Call }[] {
  return calls.flatMap((call) => {
    if (call.method !== 'POST' || !call.path.endsWith('/orders')) return []
    const hold = /"hold":"(\w+)"/.exec(call.sent)?.[1]
    return hold === undefined ? [] : [{ hold, call }]
  })
}

/** When each hold was ordered first, by its id. */
export function firstOrdered(calls: readonly Call[]): Map<string, number> {
  const first = new Map<string, number>()
  for (const { hold, call } of orderCalls(calls))
    first.set(hold, Math.min(first.get(hold) ?? Infinity, call.atMs))
  return first
}
