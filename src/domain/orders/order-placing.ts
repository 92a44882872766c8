import { Batcher, type Fate } from '../../db/batcher.ts'
import type { Sql } from '../../db/postgres.ts'
import { Problem } from '../../errors.ts'
import { idFrom, type Ids } from '../../ids.ts'
import { mustNotBeClosed, saleStateErrors } from '../sale-state/sale-failures.ts'
import type { SaleCatalogue } from '../sales/sale-catalogue.ts'
import type { Sale } from '../sales/sale.ts'
import type { UnitTable } from '../sales/unit-table.ts'
import { saleIdOfHold, unitsTaken } from '../units/hold-taking.ts'
import { placeTuple, type Hold } from '../units/hold.ts'
import type { HoldStore, PlacesChange } from '../units/hold-store.ts'
import type { UnitSync } from '../units/unit-sync.ts'
import { beyondLimits, type AccountStanding, type StandingAsked } from './account-limits.ts'
import { statusOf, type OrderDraft, type OrderFate } from './order-commit.ts'
import { settlePinned } from './hold-sweeping.ts'
import { orderErrors } from './order-errors.ts'
import type { OrderMessage } from './order-messages.ts'
import type { OnKept, OrderSaving, SavedOrder } from './order-saving.ts'
import { findOrders } from './order-store.ts'

export interface OrderPlacingOptions {
  readonly sql: Sql
  readonly holds: HoldStore
  readonly sync: UnitSync
  readonly catalogue: Pick<SaleCatalogue, 'sale' | 'units'>
  readonly saving: Pick<OrderSaving, 'save'>
  readonly committer: Pick<Batcher<OrderDraft, OrderFate>, 'add'>
  /** What an account has booked, where the sale asks for it. */
  readonly standing: (asked: StandingAsked) => Promise<AccountStanding>
  readonly ids: Ids
  /** Whether the payment provider takes this method. */
  readonly takesMethod: (method: string) => boolean
  /** A payment waits to be carried out. */
  readonly wakePayments: () => void
}

export interface OrderAsked {
  readonly holdId: string
  readonly accountId: string
  readonly method?: string | undefined
}

/** The order that is made of a hold has always the same id: asking twice is asking for the same order. */
export function orderIdOfHold(holdId: string): string {
  return idFrom('ord', 'hold', holdId)
}

/** What one try to write an order goes by. */
interface Attempt {
  readonly orderId: string
  readonly sale: Sale
  readonly units: UnitTable
  readonly onKept: OnKept
  /** The hold, where it needs no pinning. */
  readonly pinned: Hold | undefined
}

/** The hold is not there any more, or not at this moment; an order that was made of it may be. */
const goneCodes: ReadonlySet<string> = new Set([
  saleStateErrors.hold_gone.code,
  saleStateErrors.sale_closed.code,
  saleStateErrors.restoring.code,
])

/** Makes an order of a hold, and its bookings with it. */
export class OrderPlacing {
  readonly #options: OrderPlacingOptions
  readonly #found: Batcher<{ orderId: string; accountId: string }, OrderMessage | undefined>
  readonly #told: Batcher<{ saleId: string; change: PlacesChange }, void>

  constructor(options: OrderPlacingOptions) {
    this.#options = options
    this.#found = new Batcher({
      run: async (asked) => {
        const orders = await findOrders(options.sql, asked)
        return orders.map((value): Fate<OrderMessage | undefined> => ({ ok: true, value }))
      },
      batchMax: 200,
      queueMax: 10_000,
      inFlightMax: 2,
    })
    this.#told = new Batcher({
      run: async (told) => {
        await applyBySale(options.sync, told)
        return told.map((): Fate<void> => ({ ok: true, value: undefined }))
      },
      // One call of the script does nothing else meanwhile: so many orders keep Redis for about a millisecond.
      batchMax: 64,
      queueMax: 10_000,
      inFlightMax: 16,
    })
  }

  /**
   * Pins the hold, writes order and bookings, hands the payment on. Whoever asks again gets the order that is there.
   * When it is not known whether the order was written, the hold stays pinned, and it is tried again while the hold lasts.
   * @param pinned the hold, where it was pinned for this order when it was taken
   * @returns the order, with the status `saving` where that takes long
   */
  async place(asked: OrderAsked, pinned?: Hold): Promise<SavedOrder> {
    const { catalogue } = this.#options
    const saleId = saleIdOfHold(asked.holdId)
    const [sale, units] = await Promise.all([catalogue.sale(saleId), catalogue.units(saleId)])
    if (!units.free) this.#mustTakeMethod(asked.method)
    const id = pinned?.orderId ?? orderIdOfHold(asked.holdId)
    const unsaved = { id, sale: saleId, accountId: asked.accountId }
    // Each further try pins it once more, which says that somebody is at it.
    const holds = pinned?.orderId === undefined ? [] : [pinned]
    return await this.#options.saving.save(unsaved, (onKept) =>
      this.#attempt(asked, { orderId: id, sale, units, onKept, pinned: holds.pop() }),
    )
  }

  async #attempt(asked: OrderAsked, { orderId, sale, units, onKept, pinned }: Attempt): Promise<SavedOrder> {
    const { holds, committer } = this.#options
    const saleId = sale.id
    const pin = async (): Promise<Hold> => {
      // Redis hears of a closing with the next tick of its writer.
      mustNotBeClosed(sale)
      return await holds.pin(saleId, { holdId: asked.holdId, accountId: asked.accountId, orderId })
    }
    const hold =
      pinned ?? (await pin().catch((error: unknown) => this.#standing(error, orderId, asked.accountId)))
    if (!('places' in hold)) return { order: hold, created: false }
    const draft = this.#draft({ sale, units, hold, orderId, method: asked.method })
    const { totalMinor: amountMinor, currency } = draft
    onKept({ untilMs: hold.expiresAtMs, total: { amountMinor, currency } })
    const written = await committer.add(draft)
    if (written.fate === 'taken' || written.fate === 'beyond_limits') {
      await this.#giveBack(saleId, hold, orderId)
      throw await this.#refusal(written.fate, { sale, hold }, units)
    }
    if (written.fate === 'placed') {
      await this.#tell(draft)
      return { order: newOrder(draft, written, units), created: true }
    }
    const [order] = await Promise.all([
      this.#find(orderId, asked.accountId),
      this.#settleEarlier(saleId, { ...hold, orderId }),
    ])
    return { order, created: false }
  }

  /** The order that an earlier try has made of a hold; undefined when there is none. */
  earlier({ holdId, accountId }: OrderAsked): Promise<OrderMessage | undefined> {
    return this.#found.add({ orderId: orderIdOfHold(holdId), accountId })
  }

  /** The order was there: of this hold, or of an earlier one by the same name, whose places are not those held now. */
  async #settleEarlier(saleId: string, hold: Hold): Promise<void> {
    const { sql, sync } = this.#options
    await settlePinned(sql, saleId, [hold])
      .then((changes) => sync.apply(saleId, changes))
      .catch(() => {
        // The sweep of forsaken holds does it a little later.
      })
  }

  /** Why an order was not written, as far as it can still be told. */
  async #refusal(
    fate: 'taken' | 'beyond_limits',
    { sale, hold }: { sale: Sale; hold: Hold },
    units: UnitTable,
  ): Promise<Problem> {
    const unitNos = [...new Set(hold.places.map((place) => place.unitNo))]
    if (fate === 'beyond_limits') {
      const asked = { saleId: sale.id, storeId: sale.storeId, accountId: hold.accountId }
      const standing = await this.#options.standing(asked)
      const problem = beyondLimits(standing, { rules: sale, unitNos, places: hold.places.length }, units)
      if (problem !== undefined) return problem
    }
    return unitsTaken(unitNos, units)
  }

  #mustTakeMethod(method: string | undefined): void {
    if (method !== undefined && this.#options.takesMethod(method)) return
    throw new Problem(orderErrors.payment_method_unknown, {
      errors: [{ field: 'payment.method', message: 'is not a method of this server' }],
    })
  }

  #draft(from: {
    sale: Sale
    units: UnitTable
    hold: Hold
    orderId: string
    method: string | undefined
  }): OrderDraft {
    const { sale, units, hold, orderId, method } = from
    const { ids } = this.#options
    const bookings = hold.places.map((place) => ({
      ...place,
      bookingId: ids.next('bkg'),
      priceMinor: units.priceMinor[place.unitNo] ?? 0,
    }))
    const totalMinor = bookings.reduce((sum, booking) => sum + booking.priceMinor, 0)
    const base = {
      orderId,
      holdId: hold.id,
      saleId: sale.id,
      storeId: sale.storeId,
      onePerUnit: sale.onePerUnit,
      accountId: hold.accountId,
      bookings,
      totalMinor,
    }
    const rest = { currency: sale.currency, payBySeconds: sale.payBySeconds }
    if (totalMinor === 0 || method === undefined) return { ...base, ...rest }
    const paymentId = ids.next('pay')
    const payment = { paymentId, method, chargeKey: `${orderId}.charge`, refundKey: `${orderId}.refund` }
    return { ...base, ...rest, payment }
  }

  /** The hold is gone: perhaps because this very order was made of it. */
  async #standing(error: unknown, orderId: string, accountId: string): Promise<OrderMessage> {
    if (!(error instanceof Problem) || !goneCodes.has(error.code)) throw error
    const order = await this.#found.add({ orderId, accountId })
    if (order === undefined) throw error
    return order
  }

  async #find(orderId: string, accountId: string): Promise<OrderMessage> {
    const order = await this.#found.add({ orderId, accountId })
    if (order === undefined) throw new Problem(saleStateErrors.hold_gone)
    return order
  }

  /** Hurries what the outbox would say a little later anyway. */
  async #tell(draft: OrderDraft): Promise<void> {
    if (draft.payment !== undefined) this.#options.wakePayments()
    const { orderId, holdId, saleId, accountId, bookings } = draft
    const places = bookings.map(placeTuple)
    const change = { order: orderId, hold: holdId, account: accountId, status: statusOf(draft), places }
    await this.#told.add({ saleId, change }).catch(() => {
      // Too many wait to be told; the outbox has it.
    })
  }

  async #giveBack(saleId: string, hold: Hold, orderId: string): Promise<void> {
    const { holds, sync } = this.#options
    const places = hold.places.map(placeTuple)
    await holds.apply(saleId, [
      { order: orderId, hold: hold.id, account: hold.accountId, status: 'free', places },
    ])
    // Redis thought these places free, PostgreSQL knows better.
    await sync.repair(saleId, [...new Set(hold.places.map((place) => place.unitNo))])
  }
}

/** An order as its commit left it: what reading it back would say. */
function newOrder(
  draft: OrderDraft,
  { createdAt, payBy }: { createdAt: Date; payBy: Date | null },
  units: UnitTable,
): OrderMessage {
  const status = statusOf(draft)
  return {
    id: draft.orderId,
    sale: draft.saleId,
    status,
    total: { amountMinor: draft.totalMinor, currency: draft.currency },
    refund: 'none',
    payBy: payBy?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    endedAt: null,
    bookings: draft.bookings
      .toSorted((a, b) => a.unitNo - b.unitNo || a.ordinal - b.ordinal)
      .map(({ bookingId, unitNo, priceMinor }) => ({
        id: bookingId,
        unit: units.codes[unitNo] ?? '',
        priceClass: units.classNames[units.priceClass[unitNo] ?? -1] ?? '',
        priceMinor,
        status,
        checkedInAt: null,
      })),
  }
}

/** What one sale's state refuses, because Redis is away or rebuilt at this moment, does not touch the others. */
async function applyBySale(
  sync: UnitSync,
  told: readonly { saleId: string; change: PlacesChange }[],
): Promise<void> {
  const bySale = new Map<string, PlacesChange[]>()
  for (const { saleId, change } of told) {
    const ofSale = bySale.get(saleId)
    if (ofSale === undefined) bySale.set(saleId, [change])
    else ofSale.push(change)
  }
  await Promise.allSettled([...bySale].map(([saleId, changes]) => sync.apply(saleId, changes)))
}
