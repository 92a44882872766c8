import { z } from 'zod'
import type { ScriptReply } from '../../db/script.ts'
import { saleFailure, saleFailures } from '../sale-state/sale-failures.ts'
import { fateOf, SaleAsks } from '../sale-state/sale-asks.ts'
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

/** What somebody wants to hold. */
export interface HoldAsked {
  readonly holdId: string
  readonly accountId: string
  /** Of the caller's admission. */
  readonly sequence: number
  readonly alternatives: readonly (readonly Want[])[]
  /** First and last unit of each row the wanted seats lie in, where no single seat may be left alone. */
  readonly rows?: readonly (readonly [number, number])[]
  /** Pins the hold at once: it ends only with this order. */
  readonly orderId?: string | undefined
}

export interface PinAsked {
  readonly holdId: string
  readonly accountId: string
  readonly orderId: string
}

/** Holds and places of a sale in Redis. Every call throws the errors of sale-failures.ts. */
export class HoldStore {
  readonly #state: SaleState
  readonly #takes: SaleAsks<HoldAsked, Taking>
  readonly #pins: SaleAsks<PinAsked, Hold>

  /** @param options.atOnce how many that ask at the same moment are served by one call, and told of in one revision */
  constructor(state: SaleState, { atOnce }: { readonly atOnce?: number } = {}) {
    this.#state = state
    this.#takes = new SaleAsks({
      atOnce,
      serve: async (saleId, asks) => {
        const replies = await this.#answers(holdTake, saleId, asks.map(takeAsk))
        return replies.map((reply, index) => fateOf(() => takingFrom(asks[index]?.holdId ?? '', reply)))
      },
    })
    this.#pins = new SaleAsks({
      atOnce,
      serve: async (saleId, asks) => {
        const replies = await this.#answers(holdPin, saleId, asks.map(pinAsk))
        return replies.map((reply, index) => fateOf(() => pinnedFrom(asks[index]?.holdId ?? '', reply)))
      },
    })
  }

  /**
   * Takes the first of `alternatives` that is wholly free. The same hold id again gives the same hold. Whoever asks at the
   * same moment is served in the order of asking.
   */
  take(saleId: string, ask: HoldAsked): Promise<Taking> {
    return this.#takes.add(saleId, ask)
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
  pin(saleId: string, ask: PinAsked): Promise<Hold> {
    return this.#pins.add(saleId, ask)
  }

  async #answers(
    script: typeof holdTake | typeof holdPin,
    saleId: string,
    asks: readonly object[],
  ): Promise<ScriptReply[]> {
    return (await this.#state.run(script, saleId, { asks: JSON.stringify(asks) })) as ScriptReply[]
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

function takeAsk({ holdId, accountId, sequence, alternatives, rows, orderId }: HoldAsked) {
  const wants = alternatives.map((wanted) => wanted.map(({ unitNo, quantity }) => [unitNo, quantity]))
  // A sequence has more digits than Lua keeps of a number, and is compared as text.
  return { account: accountId, jti: String(sequence), hold: holdId, order: orderId, wants, rows }
}

function pinAsk({ holdId, accountId, orderId }: PinAsked) {
  return { account: accountId, hold: holdId, order: orderId }
}

function takingFrom(holdId: string, reply: ScriptReply): Taking {
  if (typeof reply === 'string') return { hold: holdFrom(holdId, reply) }
  if (!Array.isArray(reply)) throw saleFailure(Number(reply))
  const [failure, units] = reply as [number, number[]]
  return failure === saleFailures.leftAlone ? { leftAlone: units } : { taken: units.map(Number) }
}

function pinnedFrom(holdId: string, reply: ScriptReply): Hold {
  if (typeof reply !== 'string') throw saleFailure(Number(reply))
  return holdFrom(holdId, reply)
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
