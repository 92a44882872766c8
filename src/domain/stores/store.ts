import type { NewStore, StoreCategory, StoreStatus } from './store-messages.ts'

/** A pop-up store: where sales are held, and whose visitors talk in one room. */
export interface Store {
  readonly id: string
  readonly organiserId: string
  readonly name: string
  /** Markdown, as the organiser wrote it. */
  readonly description: string
  readonly category: StoreCategory
  readonly address: string
  readonly latitude: number
  readonly longitude: number
  readonly opensAtMs: number
  readonly closesAtMs: number
  readonly openingHours: NewStore['openingHours']
  readonly links: NewStore['links']
  /** Standing bookings of one account in all its sales together, at most; none where null. */
  readonly maxPerAccount: number | null
  /** Standing bookings, as they were counted last. */
  readonly popularity: number
  readonly status: StoreStatus
  readonly createdAtMs: number
}
