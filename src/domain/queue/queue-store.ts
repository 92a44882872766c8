import type { ScriptReply } from '../../db/script.ts'
import type { SaleState } from '../sale-state/sale-state.ts'
import { parseAdmission, type Admission, type QueuePlace } from './queue-place.ts'
import { queueJoin, queueLeave, queueRestore, queueStanding } from './queue-scripts.ts'

/** What joining gave: a place in the line, new or standing, or an admission that is open. */
export type Joined =
  | {
      readonly state: 'waiting'
      readonly created: boolean
      readonly sequence: number
      readonly ahead: number
      readonly behind: number
    }
  | ({ readonly state: 'admitted' } & Admission)

export interface Standing {
  /** The epoch that answered. */
  readonly epoch: number
  readonly nowMs: number
  readonly waiting: number
  readonly free: number
  readonly sold: number
  readonly status: string
  /** One place for each account asked for, in the same order. */
  readonly places: readonly QueuePlace[]
}

export interface Waiter {
  readonly accountId: string
  readonly sequence: number
}

/** The line of a sale in Redis. Every call throws the errors of sale-failures.ts. */
export class QueueStore {
  readonly #state: SaleState

  constructor(state: SaleState) {
    this.#state = state
  }

  async join(saleId: string, accountId: string): Promise<Joined> {
    const [kind, sequence, third, fourth] = numbers(
      await this.#state.run(queueJoin, saleId, { account: accountId }),
    )
    if (kind === 2) return { state: 'admitted', sequence, expiresAtMs: third, admittedAtMs: fourth }
    return {
      state: 'waiting',
      created: kind === 1,
      sequence,
      ahead: third,
      behind: Math.max(0, fourth - third - 1),
    }
  }

  /** Gives up the place or the token. Resolves to what was given up. */
  async leave(saleId: string, accountId: string): Promise<{ from: 'line' | 'admission'; sequence: number }> {
    const reply = (await this.#state.run(queueLeave, saleId, { account: accountId })) as [string, string]
    return { from: reply[0] === 'line' ? 'line' : 'admission', sequence: Number(reply[1]) }
  }

  /** Where accounts stand, in one call. */
  async standing(saleId: string, accountIds: readonly string[]): Promise<Standing> {
    const reply = await this.#state.run(queueStanding, saleId, { accounts: JSON.stringify(accountIds) })
    const [now, waiting, free, sold, status, places] = reply as [
      string,
      number,
      number,
      number,
      string,
      ScriptReply[],
    ]
    return {
      epoch: this.#state.epoch(saleId),
      nowMs: Number(now),
      waiting,
      free,
      sold,
      status,
      places: places.map((place) => placeFrom(place, waiting)),
    }
  }

  /**
   * Puts waiters of an earlier epoch back where they stood. With `edge` and `last` the edge is noted as done.
   * Resolves to how many were put back.
   */
  async restore(
    saleId: string,
    waiters: readonly Waiter[],
    done: { edge: string; last: boolean } = { edge: '', last: false },
  ): Promise<number> {
    const list = JSON.stringify(waiters.map(({ accountId, sequence }) => [accountId, String(sequence)]))
    const args = { edge: done.edge, last: done.last ? 1 : 0, waiters: list }
    return (await this.#state.run(queueRestore, saleId, args)) as number
  }
}

function placeFrom(place: ScriptReply, waiting: number): QueuePlace {
  const text = String(place)
  if (text.startsWith('a:')) return { state: 'admitted', ...parseAdmission(text.slice(2)) }
  if (!text.startsWith('w:')) return { state: 'absent' }
  const [ahead = 0, sequence = 0] = text.slice(2).split(':').map(Number)
  return { state: 'waiting', sequence, ahead, behind: Math.max(0, waiting - ahead - 1) }
}

function numbers(reply: ScriptReply): [number, number, number, number] {
  if (!Array.isArray(reply) || reply.length !== 4)
    throw new Error('the script gave another reply than its header says')
  return reply.map(Number) as [number, number, number, number]
}
