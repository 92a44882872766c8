import { Batcher, type Fate } from '../db/batcher.ts'
import type { HeadUpdate, QueueEvent } from '../domain/queue/queue-messages.ts'
import {
  epochOfSequence,
  expectedPace,
  tellAgainMs,
  type Admission,
  type QueuePlace,
} from '../domain/queue/queue-place.ts'
import type { DrawEntering } from '../domain/queue/draw-entering.ts'
import type { QueueStore, Standing, Waiter } from '../domain/queue/queue-store.ts'
import type { SaleCatalogue } from '../domain/sales/sale-catalogue.ts'
import type { Sale } from '../domain/sales/sale.ts'
import { Guest, type Tell } from './guest.ts'
import { admittedEvent, besideEvent, gatePace, positionEvent, type SignToken } from './line-events.ts'
import { LineReplica, type LineReplicaOptions } from './line-replica.ts'
import { isNear, NearFront } from './near-front.ts'
import { lookUp, type Found } from './place-lookup.ts'
import { RememberedPlaces } from './remembered-places.ts'
import { SaleNews } from './sale-news.ts'
import { ShrinkingWaits } from './shrinking-waits.ts'
import { TellingWheel } from './telling-wheel.ts'

export interface SaleRoomOptions extends Omit<LineReplicaOptions, 'queue'> {
  readonly queue: Pick<QueueStore, 'readLine' | 'standing' | 'present'>
  readonly catalogue: Pick<SaleCatalogue, 'sale'>
  readonly signToken: SignToken
  /** The entries of accounts in the draw that is still to come, by account, and how many there are. */
  readonly entering: Pick<DrawEntering, 'of' | 'count'>
  /** Told of waiters whom Redis has lost. */
  readonly onForgotten: (waiters: readonly Waiter[]) => void
  readonly onTold?: (count: number) => void
}

/** Accounts asked for in one call. */
const askedMax = 500
const asked: Fate<void> = { ok: true, value: undefined }
const closed: QueueEvent = { type: 'closed', data: {} }
/** When a listener who does not wait is looked up again; before a draw, of which everybody hears, less often. */
const askAgainMs = 2000
const enteredAgainMs = 30_000

/**
 * Those who listen, at this edge, to the line of one sale. Whoever comes is looked up once, together with others; from
 * then on their rank is that of the replica, and they are told as often as it matters.
 */
export class SaleRoom {
  readonly #options: SaleRoomOptions
  readonly #guests = new Map<string, Guest>()
  readonly places = new RememberedPlaces()
  readonly #arrivals: Batcher<string, void>
  readonly #wheel = new TellingWheel<Guest>()
  readonly near: NearFront
  readonly #waits = new ShrinkingWaits()
  readonly #news = new SaleNews()
  #replica: LineReplica | undefined
  #sale: Sale | undefined

  constructor(options: SaleRoomOptions) {
    this.#options = options
    this.near = new NearFront(options)
    this.#arrivals = new Batcher({
      run: (accountIds) => this.ask(accountIds).then(() => accountIds.map(() => asked)),
      batchMax: askedMax,
      queueMax: 100_000,
    })
  }

  get listening(): number {
    return this.#guests.size
  }

  get empty(): boolean {
    return this.#guests.size === 0 && this.places.size === 0
  }

  /** Lets an account listen; it is told where it stands at once. Returns what ends that. */
  enter(accountId: string, tell: Tell): () => void {
    this.#replica ??= this.#follow()
    const guest = this.#guests.get(accountId) ?? new Guest(accountId)
    this.#guests.set(accountId, guest)
    const leave = guest.listen(tell)
    guest.told = ''
    this.#askLater(guest)
    return () => {
      leave()
      if (guest.isGone) this.#forgetGuest(guest)
    }
  }

  /** Tells those who are due, or some of them; costs as much as there are. Returns how many. To be called often. */
  turn(nowMs: number, most = Infinity): number {
    const due = this.#wheel.turn(nowMs, most)
    let told = 0
    for (const guest of due) {
      const rank = guest.sequence === undefined ? undefined : this.#replica?.rank(guest.sequence)
      // Left the line, and the word of it was lost; or the line is not known yet.
      if (rank === undefined) this.#askLater(guest)
      else this.#tellPosition(guest, { ahead: rank, behind: (this.#replica?.size ?? 0) - rank - 1 })
      if (rank !== undefined) told++
    }
    if (told > 0) this.#options.onTold?.(told)
    return due.length
  }

  /** Everybody who listens is looked up anew, because a message may have been lost. */
  askAll(): void {
    for (const guest of this.#guests.values()) this.#askLater(guest)
  }

  /** The gate passed these over because it had not heard of them: whoever listens here is there. */
  async wake(accountIds: readonly string[]): Promise<void> {
    await this.near.say(accountIds.filter((accountId) => this.#guests.has(accountId)))
  }

  /**
   * Reads where these accounts stand, in one call, and tells those for whom something changed. Who is missing there but
   * waited here in an earlier epoch is told nothing: `onForgotten` puts them back.
   */
  async ask(accountIds: readonly string[]): Promise<void> {
    const { saleId, catalogue } = this.#options
    const sale = await catalogue.sale(saleId)
    this.#learn(sale)
    if (sale.status === 'closed') {
      // Nothing may be left in Redis to ask for.
      this.tellStatus('closed')
      return accountIds.forEach((accountId) => this.#guests.get(accountId)?.tellOnce('closed', closed))
    }
    const found = await lookUp(this.#options, sale, accountIds)
    const { standing, places } = found
    this.tellStatus(standing.status)
    const forgotten: Waiter[] = []
    const aside: string[] = []
    accountIds.forEach((accountId, index) => {
      const place = places[index] ?? { state: 'absent' }
      const sequence = this.places.sequenceOf(accountId)
      if (place.state === 'absent' && sequence !== undefined && epochOfSequence(sequence) < standing.epoch) {
        forgotten.push({ accountId, sequence })
        this.askFor(accountId, askAgainMs)
      } else {
        if (place.state === 'aside') aside.push(accountId)
        this.#tellPlace(accountId, place, found)
      }
    })
    if (forgotten.length > 0) this.#options.onForgotten(forgotten)
    await this.near.say(aside)
    for (const accountId of aside) this.askFor(accountId)
  }

  admit(accountId: string, admission: Admission): void {
    this.places.forget(accountId)
    const guest = this.#guests.get(accountId)
    if (guest === undefined) return
    this.#rest(guest)
    if (!guest.isWelcomed) this.#news.welcome(guest, this.#sale)
    const told = `admitted ${admission.sequence}`
    if (guest.told === told) return
    guest.told = told
    void this.#tellAdmitted(guest, admission)
  }

  end(accountId: string, type: 'expired' | 'fulfilled'): void {
    this.places.forget(accountId)
    const guest = this.#guests.get(accountId)
    if (guest === undefined) return
    this.#rest(guest)
    guest.tellOnce(type, { type, data: {} })
  }

  /** The sale was paused, went on, sold out or closed. */
  tellStatus(status: string): void {
    const isDrawn = this.#news.status === 'scheduled' && status !== 'scheduled'
    this.#tellAll(this.#news.statusIs(status))
    if (status === 'closed') this.places.clear()
    if (isDrawn) this.askAll()
  }

  stop(): void {
    this.#replica?.stop()
    this.#guests.clear()
    this.near.clear()
    this.#wheel.clear()
    this.places.clear()
  }

  #follow(): LineReplica {
    const { catalogue, saleId } = this.#options
    const replica = new LineReplica(this.#options)
    replica.head$.subscribe((head) => {
      this.tellStatus(head.status)
      if (head.version !== this.#sale?.version) void catalogue.sale(saleId).then(this.#learn, () => {})
      this.#hurry(head)
    })
    return replica
  }

  /**
   * When waits shrink all at once, because the pace grew or many have left, what people were told is too old for the
   * wait that is left to them: all are told within the next second.
   */
  #hurry(head: HeadUpdate): void {
    if (this.#sale === undefined) return
    const pace = expectedPace(gatePace(this.#sale, head))
    const nowMs = this.#options.clock.nowMs()
    if (!this.#waits.haveShrunk({ pace, waiting: head.waiting, nowMs })) return
    for (const guest of this.#guests.values()) {
      if (guest.sequence !== undefined) this.#wheel.hasten(guest, nowMs + (guest.sequence % 4) * 250)
    }
  }

  /** All who wait hear what the organiser says, however it is found out; a failed reading comes with the next update. */
  readonly #learn = (sale: Sale): void => {
    this.#sale = sale
    this.#tellAll(this.#news.noticeOf(sale, this.#options.clock.nowMs()))
  }

  /** Whoever was told nothing yet hears it when they are looked up. */
  #tellAll(event: QueueEvent | undefined): void {
    if (event === undefined) return
    for (const guest of this.#guests.values()) {
      if (event.type === 'closed') guest.tellOnce('closed', event)
      else if (guest.isWelcomed) guest.tell(event)
    }
  }

  #askLater(guest: Guest): void {
    // While Redis is away: with a later turn.
    this.#arrivals.add(guest.accountId).catch(() => guest.isGone || this.#schedule(guest, askAgainMs))
  }

  #tellPlace(accountId: string, place: QueuePlace, { standing, entrants }: Found): void {
    const guest = this.#guests.get(accountId)
    if (guest?.told === '') this.#news.welcome(guest, this.#sale)
    if (place.state === 'admitted') return this.admit(accountId, place)
    if (place.state === 'waiting') this.places.remember({ accountId, sequence: place.sequence })
    if (guest === undefined) return
    if (place.state === 'waiting') {
      // Looked up before the admission was heard of.
      if (guest.told === `admitted ${place.sequence}`) return
      guest.sequence = place.sequence
      return this.#tellPosition(guest, place, standing)
    }
    this.#rest(guest, place.state === 'entered' ? enteredAgainMs : askAgainMs)
    if (place.state !== 'absent') {
      const event = besideEvent(place, entrants, this.#sale)
      return guest.tellOnce(JSON.stringify(event), event)
    }
    // Told already why it is absent, or never was in.
    if (guest.told === 'expired' || guest.told === 'fulfilled') return
    this.places.forget(accountId)
    guest.tellOnce('absent', { type: 'absent', data: {} })
  }

  #tellPosition(guest: Guest, place: { ahead: number; behind: number }, standing?: Standing): void {
    const sale = this.#sale
    if (sale === undefined) return this.#schedule(guest, 0)
    const head = this.#replica?.head
    const event = positionEvent({ ...place, sale, head, left: standing?.free ?? head?.free ?? 0 })
    const { ahead, behind, etaSeconds, left } = event.data
    this.near.note(guest.accountId, isNear(ahead, sale))
    this.#schedule(guest, tellAgainMs(etaSeconds, guest.sequence))
    guest.tellOnce(`waiting ${ahead} ${behind} ${etaSeconds} ${left}`, event)
  }

  /** If the account listens here it is looked up again, at once unless told. */
  askFor(accountId: string, inMs = 0): void {
    const guest = this.#guests.get(accountId)
    if (guest !== undefined) this.#schedule(guest, inMs)
  }

  #schedule(guest: Guest, inMs: number): void {
    this.#wheel.schedule(guest, this.#options.clock.nowMs() + inMs)
  }

  /** It does not wait: now and then it is looked whether the word of a change was lost. */
  #rest(guest: Guest, againMs = askAgainMs): void {
    guest.sequence = undefined
    this.#schedule(guest, againMs)
    this.near.note(guest.accountId, false)
  }

  #forgetGuest(guest: Guest): void {
    this.near.note(guest.accountId, false)
    this.#wheel.remove(guest)
    this.#guests.delete(guest.accountId)
    if (this.#guests.size > 0) return
    this.#replica?.stop()
    this.#replica = undefined
  }

  async #tellAdmitted(guest: Guest, admission: Admission): Promise<void> {
    const { signToken, saleId } = this.#options
    try {
      guest.tell(await admittedEvent(signToken, { saleId, accountId: guest.accountId }, admission))
    } catch {
      guest.told = ''
      this.#schedule(guest, askAgainMs)
    }
  }
}
