import { emptied } from '../domain/chat/chat-entry.ts'
import type { ChatEntry, ChatRoomView } from '../domain/chat/chat-messages.ts'

/** Entries that a process keeps of a room, for all its members together. */
export const ringEntries = 200

/** The newest entries of a room, one after another without a gap, and what they have made of it. */
export class ChatRing {
  #entries: ChatEntry[]
  #room: ChatRoomView

  /** @param entries the last of the room, up to `room.seq` */
  constructor(room: ChatRoomView, entries: readonly ChatEntry[]) {
    this.#room = room
    this.#entries = [...entries]
  }

  get room(): ChatRoomView {
    return this.#room
  }

  get seq(): number {
    return this.#room.seq
  }

  /** The number before the first that is kept. */
  get before(): number {
    return this.seq - this.#entries.length
  }

  /** Takes what follows on the last entry; answers what of it was new. */
  take(entries: readonly ChatEntry[]): readonly ChatEntry[] {
    const fresh = entries.filter(({ seq }) => seq > this.seq)
    for (const entry of fresh) {
      if (entry.seq !== this.seq + 1) throw new RangeError(`entry ${entry.seq} does not follow ${this.seq}`)
      this.#entries.push(entry)
      this.#room = { ...this.#room, ...changesOf(entry, this.#room), seq: entry.seq }
      if (entry.kind === 'deleted') this.#entries = withoutDeleted(this.#entries, [entry])
    }
    this.#entries.splice(0, this.#entries.length - ringEntries)
    return fresh
  }

  /** The entries after one number and up to another; undefined where they are not all kept. */
  between(after: number, upTo: number): readonly ChatEntry[] | undefined {
    if (after < this.before || upTo > this.seq) return undefined
    return this.#entries.slice(after - this.before, Math.max(after, upTo) - this.before)
  }

  /** The last ones up to a number, at most so many. */
  lastUpTo(upTo: number, count: number): readonly ChatEntry[] {
    return this.between(Math.max(this.before, upTo - count), upTo) ?? []
  }

  find(seq: number): ChatEntry | undefined {
    return this.#entries[seq - this.before - 1]
  }

  /** Older entries that were read a moment ago, without what has been deleted since. */
  cleaned(older: readonly ChatEntry[]): readonly ChatEntry[] {
    return withoutDeleted(
      older,
      this.#entries.filter(({ kind }) => kind === 'deleted'),
    )
  }
}

function withoutDeleted(entries: readonly ChatEntry[], deletions: readonly ChatEntry[]): ChatEntry[] {
  const gone = new Set(deletions.map(({ target }) => target))
  return entries.map((entry) => (gone.has(entry.seq) ? emptied(entry) : entry))
}

function changesOf({ kind, target, seconds }: ChatEntry, room: ChatRoomView): Partial<ChatRoomView> {
  if (kind === 'deleted') return room.pinned === target ? { pinned: null } : {}
  if (kind === 'pinned') return { pinned: target ?? null }
  if (kind === 'slow') return { slowSeconds: seconds ?? 0 }
  if (kind === 'closed') return { closed: true }
  if (kind === 'opened') return { closed: false }
  return {}
}
