import { z } from 'zod'
import { saleFailures } from '../sale-state/sale-failures.ts'
import type { SaleState } from '../sale-state/sale-state.ts'
import { placeFromTuple, type Hold, type PlaceTuple, type Want } from './hold.ts'
import {
  holdExtend,
  holdPin,
  holdRelease,
  holdsOf,
  holdSweep,
  holdTake,
  placesApply,
} from './unit-scripts.ts'

const record = z.object({
  account: z.string(),
  places: z.array(z.tuple([z.number(), z.number(), z.number()])),
  expires: z.number(),
  extended: z.boolean().optional(),
  order: z.string().optional(),
})

/** Taking all that was asked for, or learning which units lack places, or which seats it would leave alone. */
export type Taking =
  | { readonly hold: Hold }
  | { readonly taken: readonly number[] }
  | { readonly leftAlone: readonly number[] }

/** By how much a hold can be extended, once. */
const extendMs = 5 * 60_000

/** What an order did to places: reserved them, sold them, gave them back. */
export interface PlacesChange {
  readonly order: string
  /** The hold that the order was made of; its record ends with this change. */
  readonly hold?: string
  readonly account: string
  readonly status: 'pending' | 'booked' | 'free'
  readonly places: readonly PlaceTuple[]
}

/** Holds and places of a sale in Redis. Every call throws the errors of sale-failures.ts. */
export class HoldStore {
  readonly #state: SaleState

  constructor(state: SaleState) {
    this.#state = state
  }

  /**
   * Takes the first of `alternatives` that is wholly free. The same hold id again gives the same hold.
   * `sequence` is that of the caller's admission.
   */
  async take(
    saleId: string,
    asked: {
      holdId: string
      accountId: string
      sequence: number
      alternatives: readonly (readonly Want[])[]
      /** First and last unit of each row the wanted seats lie in, where no single seat may be left alone. */
      rows?: readonly (readonly [number, number])[]
    },
  ): Promise<Taking> {
    const wants = asked.alternatives.map((wanted) => wanted.map(({ unitNo, quantity }) => [unitNo, quantity]))
    const reply = await this.#state.run(holdTake, saleId, {
      account: asked.accountId,
      jti: asked.sequence,
      hold: asked.holdId,
      wants: JSON.stringify(wants),
      rows: asked.rows === undefined ? '' : JSON.stringify(asked.rows),
    })
    if (typeof reply === 'string') return { hold: holdFrom(asked.holdId, reply) }
    const [failure, units] = reply as [number, number[]]
    return failure === saleFailures.leftAlone ? { leftAlone: units } : { taken: units.map(Number) }
  }

  /** Gives it five minutes more; `already_extended` the second time. */
  async extend(saleId: string, asked: { holdId: string; accountId: string }): Promise<Hold> {
    const args = { account: asked.accountId, hold: asked.holdId, extend_ms: extendMs }
    return holdFrom(asked.holdId, String(await this.#state.run(holdExtend, saleId, args)))
  }

  /** What the account holds and has not ordered. */
  async listOf(saleId: string, accountId: string): Promise<Hold[]> {
    const reply = (await this.#state.run(holdsOf, saleId, { account: accountId })) as [string, string][]
    return reply.map(([holdId, text]) => holdFrom(holdId, text))
  }

  async release(saleId: string, asked: { holdId: string; accountId: string }): Promise<void> {
    await this.#state.run(holdRelease, saleId, { account: asked.accountId, hold: asked.holdId })
  }

  /** Ties the hold to an order. The same order again gives the same answer. */
  async pin(saleId: string, asked: { holdId: string; accountId: string; orderId: string }): Promise<Hold> {
    const { holdId, accountId, orderId } = asked
    const reply = await this.#state.run(holdPin, saleId, { account: accountId, hold: holdId, order: orderId })
    return holdFrom(holdId, String(reply))
  }

  /**
   * Ends holds whose time is over, at most `batch` of them.
   * @param pinnedMs holds that were pinned longer ago than this, and of whose order nothing was heard, are forsaken
   */
  async sweep(
    saleId: string,
    options: { fence: number; batch: number; pinnedMs: number },
  ): Promise<{ ended: number; forsaken: Hold[] }> {
    const args = { fence: options.fence, batch: options.batch, pinned_ms: options.pinnedMs }
    const [ended, forsaken] = (await this.#state.run(holdSweep, saleId, args)) as [number, [string, string][]]
    return { ended, forsaken: forsaken.map(([holdId, text]) => holdFrom(holdId, text)) }
  }

  /**
   * Brings places into the state PostgreSQL gave them; late and repeated changes do nothing.
   * @param force takes places from whoever has them; only after looking into PostgreSQL
   * @returns the changes with a place that their order should own and does not
   */
  async apply(saleId: string, changes: readonly PlacesChange[], force = false): Promise<PlacesChange[]> {
    if (changes.length === 0) return []
    const args = { force: force ? 1 : 0, entries: JSON.stringify(changes) }
    const disputed = (await this.#state.run(placesApply, saleId, args)) as number[]
    return disputed.flatMap((index) => changes[index] ?? [])
  }
}

function holdFrom(id: string, text: string): Hold {
  const { account, places, expires, extended = false, order } = record.parse(JSON.parse(text))
  return {
    id,
    accountId: account,
    places: places.map(placeFromTuple),
    expiresAtMs: expires,
    isExtended: extended,
    ...(order === undefined ? {} : { orderId: order }),
  }
}
