import { readOutbox, type OutboxPosition } from '../../db/outbox.ts'
import type { Sql } from '../../db/postgres.ts'
import type { HoldStore, PlacesChange } from './hold-store.ts'
import type { PlaceTuple } from './hold.ts'
import { standingPlaces, type StandingPlace } from './standing-store.ts'

/** How often a place may change hands while it is repaired; each time is a cancelled order within a millisecond. */
const triesMax = 5

/** Rows of the outbox read in one query. */
const portion = 1000

/** An outbox entry of the topic `order`, as far as places are concerned. */
export interface OrderEntryBody {
  readonly order: string
  readonly hold?: string
  readonly account: string
  readonly status: string
  readonly places: readonly PlaceTuple[]
}

/** Brings the places in Redis to where PostgreSQL has them. */
export class UnitSync {
  readonly #sql: Sql
  readonly #holds: HoldStore

  constructor(options: { sql: Sql; holds: HoldStore }) {
    this.#sql = options.sql
    this.#holds = options.holds
  }

  /** Applies changes; where an order does not find its places as it should, PostgreSQL is asked. */
  async apply(saleId: string, changes: readonly PlacesChange[]): Promise<void> {
    const disputed = await this.#holds.apply(saleId, changes)
    const unitNos = disputed.flatMap((change) => change.places.map(([unitNo]) => unitNo))
    await this.repair(saleId, [...new Set(unitNos)])
  }

  /** Gives the places of these units to the orders whose bookings stand, whoever has them in Redis. */
  async repair(saleId: string, unitNos: readonly number[]): Promise<void> {
    if (unitNos.length === 0) return
    let standing = await standingPlaces(this.#sql, saleId, unitNos)
    // What ended between the reading and the script would be owned by an order of which no message comes any more.
    for (let tries = 1; tries <= triesMax; tries++) {
      await this.#holds.apply(saleId, changesFrom(standing), true)
      const now = await standingPlaces(this.#sql, saleId, unitNos)
      const orders = new Set(now.map((place) => place.orderId))
      const ended = standing.filter((place) => !orders.has(place.orderId))
      if (ended.length === 0) return
      await this.#holds.apply(
        saleId,
        changesFrom(ended).map((change) => ({ ...change, status: 'free' })),
      )
      standing = now
    }
  }

  /** Applies what the outbox has of a sale after a position. */
  async replay(saleId: string, after: OutboxPosition): Promise<void> {
    for (let position = after; ;) {
      const rows = await readOutbox(this.#sql, { after: position, limit: portion, saleId })
      const changes = rows.flatMap((row) =>
        row.topic === 'order' ? placesChange(row.body as OrderEntryBody) : [],
      )
      await this.apply(saleId, changes)
      const last = rows.at(-1)
      if (last === undefined || rows.length < portion) return
      position = last
    }
  }
}

/** What an order's change means for its places; nothing while its payment is only under way. */
export function placesChange(body: OrderEntryBody): PlacesChange[] {
  const { order, hold, account, places } = body
  if (body.status === 'paying' || places.length === 0) return []
  const status = body.status === 'pending' || body.status === 'booked' ? body.status : 'free'
  return [{ order, account, places, status, ...(hold === undefined ? {} : { hold }) }]
}

function changesFrom(standing: readonly StandingPlace[]): PlacesChange[] {
  return standing.map((place) => ({
    order: place.orderId,
    account: place.accountId,
    status: place.booked ? 'booked' : 'pending',
    places: [[place.unitNo, place.ordinal, place.nth]],
  }))
}
