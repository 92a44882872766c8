import { pageEntries, type ChatEntry, type ChatJoined } from '../domain/chat/chat-messages.ts'
import type { ChatRing } from './chat-ring.ts'

/** What was missed is replayed up to so many entries. */
export const replayMax = 500

export interface ChatPosition {
  readonly epoch: number
  readonly seq: number
}

/** Undefined for whoever comes anew. */
export function positionOf(text: string | undefined): ChatPosition | undefined {
  if (text === undefined) return undefined
  const [, epoch, seq] = /^(\d{1,9}):(\d{1,15})$/.exec(text) ?? []
  // Of no epoch there is: whatever was known before, the newest page comes with a gap.
  return seq === undefined ? { epoch: 0, seq: 0 } : { epoch: Number(epoch), seq: Number(seq) }
}

export interface Joining {
  readonly ring: ChatRing
  /** The last entry that the members know. */
  readonly told: number
  readonly members: number
  readonly me: ChatJoined['me']
  readonly after: ChatPosition | undefined
  /** Entries from before the ring, and the pinned one where it is older: read a moment ago. */
  readonly older: readonly ChatEntry[]
  readonly pinned: ChatEntry | undefined
}

/** What brings somebody to where the members are: what follows on their position, or the newest page. */
export function joinedOf(joining: Joining): ChatJoined & { readonly id: string } {
  const { ring, told, members, me, after } = joining
  const { epoch, slowSeconds, closed } = ring.room
  const missed = missedOf(joining)
  return {
    id: `${epoch}:${told}`,
    epoch,
    seq: told,
    members,
    me,
    entries: [...(missed ?? ring.lastUpTo(told, pageEntries))],
    ...(after !== undefined && missed === undefined && { gap: true }),
    pinned: pinnedOf(joining),
    slowSeconds,
    closed,
  }
}

/** Everything after a position, or nothing when that is too much or cannot be told without a gap. */
function missedOf({ ring, told, after, older }: Joining): readonly ChatEntry[] | undefined {
  if (after === undefined || after.epoch !== ring.room.epoch) return undefined
  if (after.seq > told || told - after.seq > replayMax) return undefined
  const kept = ring.between(Math.max(after.seq, ring.before), told) ?? []
  const first = ring.cleaned(older.filter(({ seq }) => seq > after.seq && seq <= ring.before))
  const all = [...first, ...kept]
  return all.length === told - after.seq ? all : undefined
}

function pinnedOf({ ring, pinned }: Joining): ChatEntry | null {
  const { pinned: seq } = ring.room
  if (seq === null) return null
  return ring.find(seq) ?? (pinned?.seq === seq ? pinned : null)
}
