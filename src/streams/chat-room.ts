import type { Clock } from '../clock.ts'
import type { ChatEntriesNotice, ChatEntry, ChatJoined, ChatNotice } from '../domain/chat/chat-messages.ts'
import type { Log } from '../log.ts'
import { joinedOf, positionOf, replayMax, type ChatPosition } from './chat-joined.ts'
import { ChatRing, ringEntries } from './chat-ring.ts'
import type { ChatSource } from './chat-source.ts'
import { CrowdGroups, type CrowdGroup } from './crowd-groups.ts'
import { Throttle } from './throttle.ts'

/** What is told to all members of a room, or to one. */
export type ChatEvent =
  | { readonly type: 'joined' | 'entries'; readonly id: string; readonly data: unknown }
  | { readonly type: 'presence' | 'muted'; readonly data: unknown }

export interface ChatRoomOptions {
  readonly storeId: string
  readonly source: ChatSource
  readonly clock: Clock
  readonly log: Log
  /** Tells an event to a group of the members here. */
  readonly tell: (event: ChatEvent, group: number) => void
}

/** Somebody who listens: an account, or whoever only reads. */
export interface ChatListener {
  readonly accountId: string | undefined
  readonly send: (event: ChatEvent) => void
}

/** Entries read at once, and how far a room may be behind before it begins anew instead of reading all. */
const readMax = 500
const behindMax = 2_000
/** Processes publish what they have committed in no common order: so long what is missing is waited for. */
const patienceMs = 40
const aheadMax = 64
/** Entries in one frame. */
const frameEntries = 100
const presenceMs = 1000

/**
 * One room as the members of this process are told it. Entries come over Redis, in the order of their numbers or not at
 * all: what is missing is read from PostgreSQL. States: `#ring` is absent until the room was read for the first time, and
 * what comes meanwhile waits in `#ahead`. `#told` is the last entry that any members know; what follows on it is gathered
 * for a moment and told in one frame to each group of them, since telling thousands costs far more than writing.
 */
export class ChatRoom {
  readonly #options: ChatRoomOptions
  #ring: ChatRing | undefined
  #told = 0
  #ahead: ChatEntriesNotice[] = []
  #catching: Promise<void> | undefined
  #older: Promise<readonly ChatEntry[]> | undefined
  #isWaiting = false
  #members = 0
  readonly #accounts = new Map<string, Set<ChatListener>>()
  readonly #groups: CrowdGroups
  readonly #counting: Throttle

  constructor(options: ChatRoomOptions) {
    this.#options = options
    const { clock } = options
    this.#groups = new CrowdGroups({ clock, frameMs, tell: (group) => this.#tell(group) }, 0)
    this.#counting = new Throttle({ clock, everyMs: () => presenceMs, work: () => this.#tellMembers() })
  }

  get hasBegun(): boolean {
    return this.#ring !== undefined
  }

  /** Throws before the room has begun. */
  get room(): ChatRing['room'] {
    return this.#mustHaveBegun().room
  }

  /** Accounts with a listener here. */
  get accounts(): number {
    return this.#accounts.size
  }

  get members(): number {
    return Math.max(this.#members, this.#accounts.size)
  }

  hear(notice: ChatNotice): void {
    if (notice.type === 'presence') this.count(notice.members)
    else if (notice.type === 'muted') this.#tellMuted(notice.account, notice.until)
    else this.#hearEntries(notice)
  }

  /** How many members all processes together count. */
  count(members: number): void {
    if (members === this.#members) return
    this.#members = members
    this.#counting.run()
  }

  /** What PostgreSQL says of the room's head, asked for when it stood at `since`. Answers whether entries were lost there. */
  compare(head: { epoch: number; seq: number }, since: number): 'lost' | undefined {
    const { epoch, seq } = this.room
    if (head.epoch !== epoch || head.seq > seq) void this.catchUp()
    else if (head.seq < since) return 'lost'
    return undefined
  }

  /** Resolves when everything that stood in PostgreSQL at the call is known here. Never rejects. */
  async catchUp(): Promise<void> {
    this.#catching ??= this.#catchUp()
      .catch((err: unknown) =>
        this.#options.log.debug({ err, store: this.#options.storeId }, 'a room was not read'),
      )
      .finally(() => (this.#catching = undefined))
    await this.#catching
  }

  /** Leaves what was untold untold. */
  stop(): void {
    this.#groups.stop()
    this.#counting.stop()
  }

  /** Answers the group to be told with, all of whom know what was told last. */
  enter(listener: ChatListener): { readonly group: number; readonly leave: () => void } {
    const { accountId } = listener
    const { group, leave: leaveGroup } = this.#groups.enter(this.#told)
    if (accountId !== undefined)
      this.#accounts.set(accountId, (this.#accounts.get(accountId) ?? new Set()).add(listener))
    let isIn = true
    const leave = (): void => {
      if (!isIn) return
      isIn = false
      leaveGroup()
      const listeners = accountId === undefined ? undefined : this.#accounts.get(accountId)
      listeners?.delete(listener)
      if (accountId !== undefined && listeners?.size === 0) this.#accounts.delete(accountId)
    }
    return { group: group.number, leave }
  }

  /**
   * What brings somebody to where the members are: what follows on a position, or the newest page. To be sent, and the
   * room's frames to be joined, in the same turn of the event loop.
   */
  async joined(me: ChatJoined['me'], since: string | undefined): Promise<() => ReturnType<typeof joinedOf>> {
    const after = positionOf(since)
    if (after !== undefined && after.epoch === this.room.epoch) {
      // Told elsewhere, and not yet here. A reading that was under way may have begun too early.
      if (after.seq > this.room.seq) await this.catchUp()
      if (after.seq > this.room.seq) await this.catchUp()
      if (after.seq > this.#told) this.#tellSmallest()
    }
    const older = await this.#olderThan(after)
    const pinned = await this.#pinned()
    return () =>
      joinedOf({
        ring: this.#mustHaveBegun(),
        told: this.#told,
        members: this.members,
        me,
        after,
        older,
        pinned,
      })
  }

  /** Reads the room, for the first time or anew. Throws what reading throws, such as `no_such_store`. */
  async begin(): Promise<void> {
    const { storeId, source } = this.#options
    const room = await source.room(storeId)
    const after = Math.max(0, room.seq - ringEntries)
    const entries = await source.entries(storeId, { after, upTo: room.seq, limit: ringEntries })
    const isAnew = this.#ring !== undefined
    this.#ring = new ChatRing(room, entries)
    this.#told = room.seq
    for (const group of this.#groups.all) group.seq = room.seq
    // Whoever stands elsewhere asks for what they have missed.
    if (isAnew) for (const group of this.#groups.all) this.#tellFrame(group, [])
    this.#hearAhead()
  }

  #mustHaveBegun(): ChatRing {
    if (this.#ring === undefined) throw new Error('the room was not read yet')
    return this.#ring
  }

  #hearEntries(notice: ChatEntriesNotice): void {
    const ring = this.#ring
    const isNext = ring !== undefined && notice.epoch === ring.room.epoch && notice.prev <= ring.seq
    if (!isNext) return this.#keepAhead(notice)
    this.#take(notice.entries)
    const next = this.#ahead.filter(({ prev, seq }) => prev <= ring.seq && seq > ring.seq)
    this.#ahead = this.#ahead.filter(({ prev, epoch }) => prev > ring.seq || epoch !== ring.room.epoch)
    for (const one of next) this.#hearEntries(one)
  }

  #keepAhead(notice: ChatEntriesNotice): void {
    if (this.#ahead.length < aheadMax) this.#ahead.push(notice)
    if (this.#ring !== undefined && !this.#isWaiting) void this.#waitForMissing()
  }

  async #waitForMissing(): Promise<void> {
    this.#isWaiting = true
    await this.#options.clock.wait(patienceMs)
    this.#isWaiting = false
    if (this.#ahead.length > 0) await this.catchUp()
  }

  async #catchUp(): Promise<void> {
    const { storeId, source } = this.#options
    const ring = this.#mustHaveBegun()
    // What was heard until now is on disk: it will be read.
    this.#ahead = []
    const head = await source.room(storeId)
    if (head.epoch !== ring.room.epoch || head.seq - ring.seq > behindMax) return await this.begin()
    while (ring.seq < head.seq) {
      const entries = await source.entries(storeId, { after: ring.seq, limit: readMax })
      if (entries.length === 0) break
      this.#take(entries)
    }
    this.#hearAhead()
  }

  #hearAhead(): void {
    const ahead = this.#ahead
    this.#ahead = []
    for (const notice of ahead) this.#hearEntries(notice)
  }

  /** Little by little, so that nobody is further behind than what is kept. */
  #take(entries: readonly ChatEntry[]): void {
    const ring = this.#mustHaveBegun()
    for (let from = 0; from < entries.length; from += frameEntries) {
      const fresh = ring.take(entries.slice(from, from + frameEntries))
      if (fresh.length === 0) continue
      for (const group of this.#groups.all) if (ring.seq - group.seq >= frameEntries) this.#tell(group)
    }
    if (this.#groups.all.some((group) => group.seq < ring.seq)) this.#groups.schedule()
  }

  #tell(group: CrowdGroup): void {
    const untold = this.#mustHaveBegun().between(group.seq, this.room.seq) ?? []
    for (let from = 0; from < untold.length; from += frameEntries)
      this.#tellFrame(group, untold.slice(from, from + frameEntries))
  }

  /** As much as is known here. */
  #tellSmallest(): void {
    const [smallest] = this.#groups.all.toSorted((a, b) => a.members - b.members)
    if (smallest !== undefined) this.#tell(smallest)
  }

  #tellFrame(group: CrowdGroup, entries: readonly ChatEntry[]): void {
    const prev = group.seq
    const seq = entries.at(-1)?.seq ?? prev
    this.#groups.told(group, seq)
    this.#told = Math.max(this.#told, seq)
    const event = { type: 'entries', id: `${this.room.epoch}:${seq}`, data: { prev, seq, entries } } as const
    this.#options.tell(event, group.number)
  }

  #tellMembers(): void {
    this.#groups.inTurn(({ number }) =>
      this.#options.tell({ type: 'presence', data: { members: this.members } }, number),
    )
  }

  #tellMuted(accountId: string, until: string): void {
    for (const { send } of this.#accounts.get(accountId) ?? []) send({ type: 'muted', data: { until } })
  }

  /** Read once for all who ask at the same time. */
  async #olderThan(after: ChatPosition | undefined): Promise<readonly ChatEntry[]> {
    const ring = this.#mustHaveBegun()
    const isOlder = after !== undefined && after.epoch === ring.room.epoch && after.seq < ring.before
    if (!isOlder || this.#told - after.seq > replayMax) return []
    const { storeId, source } = this.#options
    // Up to the end, since the ring moves on meanwhile.
    const range = { after: Math.max(0, this.#told - replayMax), upTo: this.#told, limit: replayMax }
    this.#older ??= source.entries(storeId, range).finally(() => (this.#older = undefined))
    return await this.#older
  }

  /** The pinned entry, which may be older than what is kept. */
  async #pinned(): Promise<ChatEntry | undefined> {
    const { pinned } = this.room
    if (pinned === null || this.#mustHaveBegun().find(pinned) !== undefined) return undefined
    const { storeId, source } = this.#options
    const [entry] = await source.entries(storeId, { after: pinned - 1, upTo: pinned, limit: 1 })
    return entry
  }
}

/** Telling a listener costs some 10 µs: beyond some thousand, a frame waits until three quarters of the time go into it. */
function frameMs(listeners: number): number {
  return Math.min(500, Math.max(20, listeners / 80))
}
