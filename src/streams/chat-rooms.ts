import type { Subscription } from 'rxjs'
import type { Clock } from '../clock.ts'
import { chatChannel } from '../domain/chat/chat-keys.ts'
import { chatNotice, type ChatNotice } from '../domain/chat/chat-messages.ts'
import type { ChatHead } from '../domain/chat/chat-store.ts'
import { RecentMap } from '../domain/sales/recent-map.ts'
import type { Log } from '../log.ts'
import type { Broker } from './broker.ts'
import { ChatRoom, type ChatEvent } from './chat-room.ts'
import type { ChatSource } from './chat-source.ts'

export interface ChatRoomsOptions {
  readonly source: ChatSource & {
    heads(storeIds: readonly string[]): Promise<ChatHead[]>
    /** Begins a new epoch of a room of which this was told and is not there any more. */
    beginEpoch(told: ChatHead): Promise<void>
  }
  /** Says how many members this process counts in a room; answers how many there are. */
  readonly count: (storeId: string, members: number) => Promise<number>
  readonly broker: Pick<Broker, 'messages' | 'lost$'>
  readonly clock: Clock
  readonly log: Log
  /** Tells an event to a group of the members of a room here. */
  readonly tell: (storeId: string, group: number, event: ChatEvent) => void
}

/** How long a room without listeners is kept, as long as there are not too many. */
const idleMs = 30_000
const idleMax = 200
/** Rooms of which only the pace is remembered, because nobody listens here. */
const slowMax = 5_000
/** How often rooms with listeners are compared with PostgreSQL. */
const compareMs = 2_000
const countMs = 1_000
/** How often a count is said again that has not changed; others forget it after `presenceTtlMs`. */
const countAgainMs = 10_000
export const presenceTtlMs = 30_000

interface OpenRoom {
  readonly room: ChatRoom
  readonly opening: Promise<void>
  readonly hearing: Subscription
  holders: number
  idleSinceMs: number
  counted: number
  countedAtMs: number
}

/** The rooms of this process, each as long as somebody listens, and for a while after. */
export class ChatRooms {
  readonly #options: ChatRoomsOptions
  readonly #rooms = new Map<string, OpenRoom>()
  readonly #stopped = new AbortController()
  readonly #losses: Subscription
  readonly #slow = new RecentMap<{ readonly atMs: number; readonly seconds: Promise<number> }>({
    weightMax: slowMax,
    weigh: () => 1,
  })

  constructor(options: ChatRoomsOptions) {
    this.#options = options
    this.#losses = options.broker.lost$.subscribe(() => void this.#try(() => this.#compare()))
    void this.#repeat(compareMs, () => this.#compare())
    void this.#repeat(countMs, () => this.#count())
  }

  /** A room; to be released as often as it was opened. Throws what reading it throws, such as `no_such_store`. */
  async open(storeId: string): Promise<{ room: ChatRoom; release: () => void }> {
    const entry = this.#rooms.get(storeId) ?? this.#begin(storeId)
    entry.holders++
    let isHeld = true
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      entry.holders--
      entry.idleSinceMs = this.#options.clock.nowMs()
    }
    try {
      await entry.opening
      return { room: entry.room, release }
    } catch (error) {
      release()
      if (this.#rooms.get(storeId) === entry) this.#close(storeId)
      throw error
    }
  }

  /** Seconds between two messages of a member; at most so old as a comparison. Throws `no_such_store`. */
  async slowSeconds(storeId: string): Promise<number> {
    const open = this.#rooms.get(storeId)?.room
    if (open?.hasBegun === true) return open.room.slowSeconds
    const { source, clock } = this.#options
    const known = this.#slow.get(storeId)
    if (known !== undefined && clock.nowMs() - known.atMs < compareMs) return await known.seconds
    const seconds = source.room(storeId).then((room) => room.slowSeconds)
    this.#slow.set(storeId, { atMs: clock.nowMs(), seconds })
    try {
      return await seconds
    } catch (error) {
      this.#slow.delete(storeId)
      throw error
    }
  }

  /** What this process itself has written needs no way through Redis. */
  hear(storeId: string, notice: ChatNotice): void {
    if (notice.type === 'entries' && notice.entries.some(({ kind }) => kind === 'slow'))
      this.#slow.delete(storeId)
    this.#rooms.get(storeId)?.room.hear(notice)
  }

  stop(): void {
    this.#stopped.abort()
    this.#losses.unsubscribe()
    for (const storeId of this.#rooms.keys()) this.#close(storeId)
  }

  #begin(storeId: string): OpenRoom {
    const { source, clock, log, tell, broker } = this.#options
    const room = new ChatRoom({
      storeId,
      source,
      clock,
      log,
      tell: (event, group) => tell(storeId, group, event),
    })
    // Heard from before it is read, so that nothing falls in between.
    const hearing = broker.messages(chatChannel(storeId), chatNotice).subscribe((notice) => room.hear(notice))
    const entry = { room, hearing, opening: room.begin(), holders: 0, idleSinceMs: 0 }
    const opened = { ...entry, counted: 0, countedAtMs: 0 }
    this.#rooms.set(storeId, opened)
    return opened
  }

  #close(storeId: string): void {
    const entry = this.#rooms.get(storeId)
    this.#rooms.delete(storeId)
    entry?.hearing.unsubscribe()
    entry?.room.stop()
  }

  async #repeat(everyMs: number, work: () => Promise<void>): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopped
    for (;;) {
      await clock.wait(everyMs, signal)
      if (signal.aborted) return
      await this.#try(work)
    }
  }

  /** What fails while a store is away is done at its next turn. */
  async #try(work: () => Promise<void>): Promise<void> {
    await work().catch((err: unknown) => this.#options.log.debug({ err }, 'chat rooms'))
  }

  /** One query for all rooms, whatever was lost on the way. */
  async #compare(): Promise<void> {
    this.#closeIdle()
    const before = this.#heads()
    const heads = await this.#options.source.heads([...before.keys()])
    for (const head of heads) {
      const { storeId } = head
      const told = before.get(storeId)
      const lost = told && this.#rooms.get(storeId)?.room.compare(head, told.seq)
      if (told !== undefined && lost === 'lost') await this.#options.source.beginEpoch(told)
    }
  }

  #heads(): Map<string, ChatHead> {
    const heads = new Map<string, ChatHead>()
    for (const [storeId, { room }] of this.#rooms)
      if (room.hasBegun) heads.set(storeId, { storeId, epoch: room.room.epoch, seq: room.room.seq })
    return heads
  }

  #closeIdle(): void {
    const nowMs = this.#options.clock.nowMs()
    let idle = 0
    for (const [storeId, { holders, idleSinceMs, counted }] of this.#rooms) {
      if (holders > 0 || counted > 0) continue
      idle++
      if (nowMs - idleSinceMs > idleMs || idle > idleMax) this.#close(storeId)
    }
  }

  async #count(): Promise<void> {
    const nowMs = this.#options.clock.nowMs()
    const due = [...this.#rooms].filter(
      ([, { room, counted, countedAtMs }]) =>
        room.accounts !== counted || (counted > 0 && nowMs - countedAtMs >= countAgainMs),
    )
    await Promise.all(
      due.map(async ([storeId, entry]) => {
        const members = entry.room.accounts
        entry.room.count(await this.#options.count(storeId, members))
        entry.counted = members
        entry.countedAtMs = nowMs
      }),
    )
  }
}
