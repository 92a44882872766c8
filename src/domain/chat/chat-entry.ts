import type { ChatEntry } from './chat-messages.ts'

export type ChatKind = ChatEntry['kind']

/** An entry as PostgreSQL has it, with the member its account is to others. */
export interface ChatRow {
  readonly storeId: string
  readonly seq: number
  readonly id: string
  readonly kind: ChatKind
  /** Null where the organiser did it; so is `memberId`. */
  readonly accountId: string | null
  readonly memberId: string | null
  readonly name: string
  readonly text: string
  readonly targetSeq: number | null
  readonly seconds: number | null
  readonly at: Date
  readonly deletedAt: Date | null
}

/** An entry as everybody may see it: never with an account. */
export function entryOf(row: ChatRow): ChatEntry {
  const { seq, id, kind, memberId, name, text, targetSeq, seconds, at, deletedAt } = row
  return {
    seq,
    id,
    kind,
    member: memberId === null ? null : { id: memberId, name },
    text,
    ...(targetSeq !== null && { [kind === 'talk' || kind === 'notice' ? 'replyTo' : 'target']: targetSeq }),
    ...(seconds !== null && { seconds }),
    at: at.toISOString(),
    ...(deletedAt !== null && { deleted: true }),
  }
}

/** What is left of an entry that was deleted. */
export function emptied(entry: ChatEntry): ChatEntry {
  return { ...entry, text: '', deleted: true }
}

/** Whether it was said, rather than done; only this can be answered, pinned and deleted. */
export function isSaid({ kind }: { readonly kind: ChatKind }): boolean {
  return kind === 'talk' || kind === 'notice'
}
