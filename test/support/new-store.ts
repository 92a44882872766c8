import type { Calls } from './calls.ts'
import { api, at, type Body } from './contract.ts'

/** The body of POST /stores: a store that is open for a week; `changes` replaces members. */
export function newStore(changes: Readonly<Record<string, unknown>> = {}): Body {
  return {
    name: '성수 문구점',
    description: 'Ink and **paper**.',
    category: 'living',
    address: '서울 성동구 연무장길 1',
    latitude: 37.5445,
    longitude: 127.056,
    opensAt: new Date(Date.now() - 1_000).toISOString(),
    closesAt: new Date(Date.now() + 7 * 86_400_000).toISOString(),
    ...changes,
  }
}

/** Registers a store and answers its id. */
export async function registerStore(
  calls: Calls,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const answer = await calls.call('POST', `${api}/stores`, {
    token: calls.organiserKey,
    body: newStore(changes),
  })
  if (answer.status !== 201) throw new Error(`no store: ${answer.bytes.toString()}`)
  return String(at(answer.body, 'id'))
}
