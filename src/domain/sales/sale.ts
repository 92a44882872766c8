import { Problem } from '../../errors.ts'
import { saleErrors } from './sale-errors.ts'

/**
 * The states of a sale.
 *
 * draft      being prepared: shown to nobody but its organiser
 * scheduled  shown; `opensAt` lies ahead, nothing can be held or bought
 * open       `opensAt` is past; people are let in and buy, as long as places are left
 * paused     the organiser stopped the admission; who was let in before goes on buying
 * soldout    every place is booked; a cancelled booking opens the sale again
 * closed     over, at `closesAt` or by the organiser; never leaves this state
 */
export const saleStatuses = ['draft', 'scheduled', 'open', 'paused', 'soldout', 'closed'] as const
export type SaleStatus = (typeof saleStatuses)[number]

export const saleKinds = ['seats', 'slots'] as const
/** `seats`: every unit is one seat of a hall. `slots`: a unit is a date and hour with room for several. */
export type SaleKind = (typeof saleKinds)[number]

export const queueModes = ['fifo', 'lottery'] as const
export type QueueMode = (typeof queueModes)[number]

export interface QueueSettings {
  /** `fifo`: in the order of arrival. `lottery`: whoever entered before the opening, in an order drawn by lot. */
  readonly mode: QueueMode
  /** People let in within any minute, at most. */
  readonly ratePerMinute: number
  /** People who may buy at the same time, at most. */
  readonly maxActive: number
  /** How long one may buy after being let in. */
  readonly tokenTtlSeconds: number
  readonly holdTtlSeconds: number
  /** Standing bookings of one account in this sale, at most. */
  readonly maxPerAccount: number
  /** How long somebody may be away when their turn comes, and once more after it, before the place is lost. */
  readonly graceSeconds: number
}

export interface Sale {
  readonly id: string
  readonly organiserId: string
  /** The store it is held in, if in one. */
  readonly storeId: string | null
  readonly kind: SaleKind
  readonly title: string
  readonly status: SaleStatus
  readonly admits: 'guests' | 'verified'
  readonly opensAtMs: number
  readonly closesAtMs: number
  readonly queue: QueueSettings
  /** Whether a hold may leave a single seat between taken ones. */
  readonly singleSeats: 'allowed' | 'refused'
  /** Whether an account may have one standing booking of each unit only. */
  readonly onePerUnit: boolean
  /** What the organiser tells those who wait. */
  readonly notice: { readonly text: string; readonly atMs: number } | null
  /** How long an order may wait for its payment. */
  readonly payBySeconds: number
  /** ISO 4217. */
  readonly currency: string
  readonly unitCount: number
  /** The sum of all capacities. */
  readonly placeCount: number
  /** Raised by each change of the sale. */
  readonly version: number
  readonly createdAtMs: number
}

/** Who asks for a move: the organiser, the time set for it, or the number of places booked. */
export type SaleMover = 'organiser' | 'time' | 'stock'

const moves: Readonly<Record<SaleStatus, Partial<Record<SaleStatus, readonly SaleMover[]>>>> = {
  draft: { scheduled: ['organiser'], closed: ['organiser'] },
  scheduled: { open: ['time'], closed: ['time', 'organiser'] },
  open: { paused: ['organiser'], soldout: ['stock'], closed: ['time', 'organiser'] },
  paused: { open: ['organiser'], closed: ['time', 'organiser'] },
  soldout: { open: ['stock'], paused: ['organiser'], closed: ['time', 'organiser'] },
  closed: {},
}

/** The only answer to the question whether a sale may go from one state to another. */
export function mayMove(from: SaleStatus, to: SaleStatus, by: SaleMover): boolean {
  return moves[from][to]?.includes(by) ?? false
}

/** The states from which `by` may move a sale to `to`. */
export function statesLeadingTo(to: SaleStatus, by: SaleMover): SaleStatus[] {
  return saleStatuses.filter((from) => mayMove(from, to, by))
}

/** The sale in its new state; the same sale when it is in that state already. Throws `sale_change_not_allowed`. */
export function moveSale(sale: Sale, to: SaleStatus, by: SaleMover): Sale {
  if (sale.status === to) return sale
  if (!mayMove(sale.status, to, by)) {
    throw new Problem(saleErrors.sale_change_not_allowed, {
      detail: `A sale that is ${sale.status} cannot become ${to}.`,
      extra: { saleStatus: sale.status },
    })
  }
  return { ...sale, status: to }
}

/** The sale as its own times would have it at `nowMs`, whether or not that was written down yet. */
export function saleAt(sale: Sale, nowMs: number): Sale {
  if (nowMs >= sale.closesAtMs && mayMove(sale.status, 'closed', 'time'))
    return moveSale(sale, 'closed', 'time')
  if (nowMs >= sale.opensAtMs && mayMove(sale.status, 'open', 'time')) return moveSale(sale, 'open', 'time')
  return sale
}
