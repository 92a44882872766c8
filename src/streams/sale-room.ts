import { Batcher, type Fate } from '../db/batcher.ts'
import type { QueueEvent } from '../domain/queue/queue-messages.ts'
import {
  epochOfSequence,
  etaSeconds,
  tokenIdOf,
  type Admission,
  type QueuePlace,
} from '../domain/queue/queue-place.ts'
import type { QueueStore, Standing, Waiter } from '../domain/queue/queue-store.ts'
import { RecentMap } from '../domain/sales/recent-map.ts'
import type { SaleCatalogue } from '../domain/sales/sale-catalogue.ts'

/** Signs the purchase token of an admission. Resolves to the token. */
export type SignToken = (claims: {
  saleId: string
  accountId: string
  jti: string
  expiresAtMs: number
}) => Promise<{ token: string }>

export interface SaleRoomOptions {
  readonly saleId: string
  readonly queue: QueueStore
  readonly catalogue: Pick<SaleCatalogue, 'sale'>
  readonly signToken: SignToken
  /** Told of waiters whom Redis has lost. */
  readonly onForgotten: (waiters: readonly Waiter[]) => void
}

type Tell = (event: QueueEvent) => void

/** An account that listens, over one connection or several. */
interface Guest {
  readonly tells: Set<Tell>
  /** What it was last told, so that it is not told twice. */
  told: string
}

/** Places given through this edge that are remembered beyond the connections: some 100 bytes each. */
const rememberedMax = 100_000

/** Those who listen, at this edge, to the line of one sale. */
export class SaleRoom {
  readonly #options: SaleRoomOptions
  readonly #guests = new Map<string, Guest>()
  readonly #places = new RecentMap<number>({ weightMax: rememberedMax, weigh: () => 1 })
  readonly #arrivals: Batcher<string, void>
  #status = ''
  #putBackIn = 0

  constructor(options: SaleRoomOptions) {
    this.#options = options
    this.#arrivals = new Batcher({
      run: async (accountIds) => {
        await this.tell(accountIds)
        return accountIds.map((): Fate<void> => ({ ok: true, value: undefined }))
      },
      batchMax: 500,
      queueMax: 100_000,
    })
  }

  get listening(): number {
    return this.#guests.size
  }

  get empty(): boolean {
    return this.#guests.size === 0 && this.#places.size === 0
  }

  listeners(): string[] {
    return [...this.#guests.keys()]
  }

  /** Lets an account listen; it is told where it stands at once. Returns what ends that. */
  enter(accountId: string, tell: Tell): () => void {
    const guest = this.#guests.get(accountId) ?? { tells: new Set(), told: '' }
    this.#guests.set(accountId, guest)
    guest.tells.add(tell)
    guest.told = ''
    this.#arrivals.add(accountId).catch(() => {
      // Redis is away: the next round tells.
    })
    return () => {
      guest.tells.delete(tell)
      if (guest.tells.size === 0) this.#guests.delete(accountId)
    }
  }

  remember(waiter: Waiter): void {
    this.#places.set(waiter.accountId, waiter.sequence)
  }

  forget(accountId: string): void {
    this.#places.delete(accountId)
  }

  /** Who waited here with a place given before `epoch`; nobody once they were put back in it. */
  waitersBefore(epoch: number): Waiter[] {
    if (this.#putBackIn >= epoch) return []
    return [...this.#places.entries()]
      .filter(([, sequence]) => epochOfSequence(sequence) < epoch)
      .map(([accountId, sequence]) => ({ accountId, sequence }))
  }

  /** Everybody of `waitersBefore(epoch)` stands in line again. */
  notePutBack(epoch: number): void {
    this.#putBackIn = Math.max(this.#putBackIn, epoch)
  }

  /**
   * Reads where these accounts stand, in one call, and tells those for whom something changed. Who is missing there but
   * waited here in an earlier epoch is told nothing: `onForgotten` puts them back.
   */
  async tell(accountIds: readonly string[]): Promise<void> {
    const { queue, saleId, catalogue } = this.#options
    const sale = await catalogue.sale(saleId)
    // Of a sale that is over nothing may be left in Redis to ask for.
    if (sale.status === 'closed') return this.#tellClosed(accountIds)
    const standing = await queue.standing(saleId, accountIds)
    this.tellStatus(standing.status)
    const forgotten: Waiter[] = []
    accountIds.forEach((accountId, index) => {
      const place = standing.places[index] ?? { state: 'absent' }
      const sequence = this.#places.get(accountId)
      if (place.state === 'absent' && sequence !== undefined && epochOfSequence(sequence) < standing.epoch) {
        forgotten.push({ accountId, sequence })
      } else {
        this.#tellPlace(accountId, place, standing, sale.queue.ratePerMinute)
      }
    })
    if (forgotten.length > 0) this.#options.onForgotten(forgotten)
  }

  admit(accountId: string, admission: Admission): void {
    this.#places.delete(accountId)
    const guest = this.#guests.get(accountId)
    const told = `admitted ${admission.sequence}`
    if (guest === undefined || guest.told === told) return
    guest.told = told
    void this.#tellAdmitted(accountId, guest, admission)
  }

  end(accountId: string, type: 'expired' | 'fulfilled'): void {
    this.#places.delete(accountId)
    const guest = this.#guests.get(accountId)
    if (guest === undefined || guest.told === type) return
    guest.told = type
    tellAll(guest, { type, data: {} })
  }

  /** The sale was paused, went on, sold out or closed. */
  tellStatus(status: string): void {
    const before = this.#status
    this.#status = status
    const event = statusEvent(status, before)
    if (event === undefined || status === before) return
    for (const guest of this.#guests.values()) tellAll(guest, event)
  }

  stop(): void {
    this.#guests.clear()
    this.#places.clear()
  }

  #tellClosed(accountIds: readonly string[]): void {
    const isNews = this.#status !== 'closed'
    this.tellStatus('closed')
    for (const accountId of accountIds) {
      const guest = this.#guests.get(accountId)
      if (guest?.told !== '') continue
      guest.told = 'closed'
      if (!isNews) this.#welcome(guest)
    }
  }

  #tellPlace(accountId: string, place: QueuePlace, standing: Standing, ratePerMinute: number): void {
    if (place.state === 'admitted') return this.admit(accountId, place)
    const guest = this.#guests.get(accountId)
    if (place.state === 'waiting') this.remember({ accountId, sequence: place.sequence })
    if (guest === undefined) return
    if (guest.told === '') this.#welcome(guest)
    if (place.state === 'absent') {
      // Told already why it is absent, or never was in.
      if (guest.told === 'absent' || guest.told === 'expired' || guest.told === 'fulfilled') return
      this.#places.delete(accountId)
      guest.told = 'absent'
      return tellAll(guest, { type: 'absent', data: {} })
    }
    const { ahead, behind } = place
    const told = `waiting ${ahead} ${behind} ${standing.free}`
    if (guest.told === told) return
    guest.told = told
    const eta = etaSeconds(ahead, ratePerMinute)
    const data = { position: ahead + 1, ahead, behind, etaSeconds: eta, ratePerMinute, left: standing.free }
    tellAll(guest, { type: 'position', data })
  }

  /** Whoever comes while the sale is not simply open hears of it. */
  #welcome(guest: Guest): void {
    const event = statusEvent(this.#status, '')
    if (event !== undefined) tellAll(guest, event)
  }

  async #tellAdmitted(accountId: string, guest: Guest, admission: Admission): Promise<void> {
    const { signToken, saleId } = this.#options
    const { sequence, expiresAtMs, admittedAtMs } = admission
    try {
      const { token } = await signToken({ saleId, accountId, jti: tokenIdOf(sequence), expiresAtMs })
      const data = {
        purchaseToken: token,
        expiresAt: new Date(expiresAtMs).toISOString(),
        admittedAt: new Date(admittedAtMs).toISOString(),
      }
      tellAll(guest, { type: 'admitted', data })
    } catch {
      // Not told: the next round finds the admission again.
      guest.told = ''
    }
  }
}

function tellAll(guest: Guest, event: QueueEvent): void {
  for (const tell of guest.tells) tell(event)
}

function statusEvent(status: string, before: string): QueueEvent | undefined {
  if (status === 'paused') return { type: 'paused', data: {} }
  if (status === 'soldout') return { type: 'soldout', data: {} }
  if (status === 'closed') return { type: 'closed', data: {} }
  return before === '' || before === 'scheduled' ? undefined : { type: 'resumed', data: {} }
}
