import { generalErrors, Problem } from '../../errors.ts'
import { isSaid, type ChatKind, type ChatRow } from './chat-entry.ts'
import { chatErrors } from './chat-errors.ts'
import { storeErrors } from '../stores/store-errors.ts'

/** An entry as it is wanted; whether it comes to be is decided under the lock of its room. */
export interface ChatDraft {
  readonly storeId: string
  /** The same id again is the same entry again. */
  readonly id: string
  readonly kind: ChatKind
  readonly by: ChatAuthor
  readonly text?: string
  /** The entry that is answered, deleted or pinned. */
  readonly targetSeq?: number
  readonly seconds?: number
}

/** `memberId` is the one the account gets if it is new to the room. */
export type ChatAuthor =
  | { readonly accountId: string; readonly memberId: string }
  | { readonly organiserId: string }

/** A room whose row is locked. */
export interface LockedRoom {
  readonly storeId: string
  readonly organiserId: string
  /** A store that has closed stays so, and its room with it. */
  readonly isOver: boolean
  readonly epoch: number
  readonly lastSeq: number
  readonly slowSeconds: number
  readonly pinnedSeq: number | null
  readonly closedAt: Date | null
  /** By PostgreSQL's clock, once the lock was had. */
  readonly now: Date
}

export interface ChatMember {
  readonly memberId: string
  readonly name: string
  readonly mutedUntil: Date | null
}

/** What PostgreSQL knows about a draft. */
export interface DraftFacts {
  /** The entry that has this id already. */
  readonly earlier: ChatRow | undefined
  readonly member: ChatMember | undefined
  readonly target: ChatRow | undefined
}

/**
 * The order of one room while its row is locked: each draft in turn gets the next number, or is refused. What becomes of
 * the room is in `room` and `written`, to be stored before the lock is let go.
 */
export class ChatLedger {
  room: LockedRoom
  readonly written: ChatRow[] = []

  constructor(room: LockedRoom) {
    this.room = room
  }

  /** The new entry, or the earlier one of the same id; nothing where all is as wanted already. Throws the refusal. */
  enter(draft: ChatDraft, facts: DraftFacts): ChatRow | undefined {
    const earlier = facts.earlier ?? this.written.find(({ id }) => id === draft.id)
    if (earlier !== undefined) return mustBeOwn(earlier, draft)
    this.#mustBeAllowed(draft, facts)
    const changes = this.#changesOf(draft)
    if (changes === undefined) return undefined
    const row = this.#rowOf(draft, facts.member)
    this.room = { ...this.room, ...changes, lastSeq: row.seq }
    this.written.push(row)
    return row
  }

  #mustBeAllowed({ by, kind, targetSeq }: ChatDraft, { member, target }: DraftFacts): void {
    const { organiserId, isOver, closedAt, now } = this.room
    if ('organiserId' in by ? by.organiserId !== organiserId : kind !== 'talk')
      throw new Problem(generalErrors.forbidden)
    if (isOver && kind === 'opened') throw new Problem(storeErrors.store_closed)
    if (closedAt !== null && isSaid({ kind })) throw new Problem(chatErrors.room_closed)
    const until = member?.mutedUntil
    if (until && until > now) {
      const retryAfterSeconds = Math.ceil((until.getTime() - now.getTime()) / 1000)
      throw new Problem(chatErrors.chat_muted, { retryAfterSeconds, extra: { until: until.toISOString() } })
    }
    const isThere = target !== undefined && isSaid(target) && target.deletedAt === null
    if (targetSeq !== undefined && !isThere) throw new Problem(chatErrors.no_such_entry)
  }

  /** What an entry makes of the room; nothing where it would change nothing. */
  #changesOf({ kind, targetSeq, seconds = 0 }: ChatDraft): Partial<LockedRoom> | undefined {
    const target = targetSeq ?? null
    const { pinnedSeq, slowSeconds, closedAt, now } = this.room
    if (kind === 'deleted') return pinnedSeq === target ? { pinnedSeq: null } : {}
    if (kind === 'pinned') return pinnedSeq === target ? undefined : { pinnedSeq: target }
    if (kind === 'slow') return slowSeconds === seconds ? undefined : { slowSeconds: seconds }
    if (kind === 'closed') return closedAt === null ? { closedAt: now } : undefined
    if (kind === 'opened') return closedAt === null ? undefined : { closedAt: null }
    return {}
  }

  #rowOf({ storeId, id, kind, by, text = '', targetSeq, seconds }: ChatDraft, member?: ChatMember): ChatRow {
    const { lastSeq, now } = this.room
    return {
      storeId,
      seq: lastSeq + 1,
      id,
      kind,
      accountId: 'accountId' in by ? by.accountId : null,
      memberId: member?.memberId ?? null,
      name: member?.name ?? '',
      text,
      targetSeq: targetSeq ?? null,
      seconds: seconds ?? null,
      at: now,
      deletedAt: null,
    }
  }
}

function mustBeOwn(earlier: ChatRow, { by }: ChatDraft): ChatRow {
  const accountId = 'accountId' in by ? by.accountId : null
  if (earlier.accountId !== accountId) throw new Problem(chatErrors.chat_id_taken)
  return earlier
}
