import type { ScriptReply } from '../../db/script.ts'
import { fateOf, SaleAsks } from '../sale-state/sale-asks.ts'
import { saleFailure } from '../sale-state/sale-failures.ts'
import type { SaleState } from '../sale-state/sale-state.ts'
import { saleKeys } from '../sale-state/sale-keys.ts'
import { LineOrder } from './line-order.ts'
import { parseAdmission, type Admission, type QueuePlace } from './queue-place.ts'
import {
  queueJoin,
  queueLeave,
  queueLine,
  queuePresent,
  queueRestore,
  queueStanding,
} from './queue-scripts.ts'

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

/** A line as it stood after its head update `seq`, or a little later. */
export interface LineReading {
  readonly epoch: number
  readonly seq: number
  /** The last number given in this epoch. */
  readonly tail: number
  readonly order: LineOrder
}

/** Sequences of older epochs that are read in one call. */
const pageOfOlder = 5000

/** The line of a sale in Redis. Every call throws the errors of sale-failures.ts. */
export class QueueStore {
  readonly #state: SaleState
  readonly #joins: SaleAsks<string, Joined>

  constructor(state: SaleState) {
    this.#state = state
    this.#joins = new SaleAsks({
      serve: async (saleId, accountIds) => {
        const accounts = JSON.stringify(accountIds)
        const replies = (await this.#state.run(queueJoin, saleId, { accounts })) as ScriptReply[]
        return replies.map((reply) => fateOf(() => joinedFrom(reply)))
      },
    })
  }

  /** Gives the account its place, the same one however often it asks. Whoever comes at the same moment stands as they came. */
  join(saleId: string, accountId: string): Promise<Joined> {
    return this.#joins.add(saleId, accountId)
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
   * Notes that these accounts are there, which matters near the front. Whoever was set aside is first again.
   * Resolves to how many came back.
   */
  async present(saleId: string, accountIds: readonly string[]): Promise<number> {
    return (await this.#state.run(queuePresent, saleId, { accounts: JSON.stringify(accountIds) })) as number
  }

  /**
   * Reads the whole line: its present epoch as bits, in one piece, and what is left of older epochs in pages. It is
   * no picture of one moment: whoever applies all head updates after `seq` to it has the line as it is.
   */
  async readLine(saleId: string): Promise<LineReading> {
    const first = await this.#linePage(saleId, '0')
    const { epoch, seq, tail, lowest } = first
    const order = new LineOrder()
    let page = first.older
    while (page.length > 0) {
      for (const sequence of page) order.enter(Number(sequence))
      page = page.length < pageOfOlder ? [] : (await this.#linePage(saleId, page.at(-1) ?? '')).older
    }
    const firstByte = Math.floor((lowest ?? tail + 1) / 8)
    order.issue(epoch, lowest ?? tail + 1, tail)
    if (lowest !== undefined) {
      const { commands } = this.#state.serverOf(saleId)
      const gone = await commands.getrangeBuffer(saleKeys(saleId).gone, firstByte, Math.floor(tail / 8))
      order.leaveMarked(epoch, firstByte, gone)
    }
    return { epoch, seq, tail, order }
  }

  async #linePage(
    saleId: string,
    after: string,
  ): Promise<{ epoch: number; seq: number; tail: number; lowest: number | undefined; older: string[] }> {
    const reply = await this.#state.run(queueLine, saleId, { after, limit: pageOfOlder })
    // The epoch that answered: by now another may have begun.
    const [epoch, seq, tail, lowest, older] = reply as [number, number, number, string, string[]]
    return { epoch, seq, tail, lowest: lowest === '' ? undefined : Number(lowest) - epoch * 2 ** 32, older }
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
  if (text.startsWith('x:')) {
    const [untilMs = 0, sequence = 0] = text.slice(2).split(':').map(Number)
    return { state: 'aside', sequence, untilMs }
  }
  if (!text.startsWith('w:')) return { state: 'absent' }
  const [ahead = 0, sequence = 0] = text.slice(2).split(':').map(Number)
  return { state: 'waiting', sequence, ahead, behind: Math.max(0, waiting - ahead - 1) }
}

function joinedFrom(reply: ScriptReply): Joined {
  if (typeof reply === 'number') throw saleFailure(reply)
  if (!Array.isArray(reply) || reply.length !== 4)
    throw new Error('the script gave another reply than its header says')
  const [kind, sequence, third, fourth] = reply.map(Number) as [number, number, number, number]
  if (kind === 2) return { state: 'admitted', sequence, expiresAtMs: third, admittedAtMs: fourth }
  const behind = Math.max(0, fourth - third - 1)
  return { state: 'waiting', created: kind === 1, sequence, ahead: third, behind }
}
