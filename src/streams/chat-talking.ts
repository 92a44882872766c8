import type { RedisServers } from '../db/redis-servers.ts'
import type { ChatAuthor, ChatDraft } from '../domain/chat/chat-ledger.ts'
import type { ChatMembers } from '../domain/chat/chat-members.ts'
import type { ChatEntry } from '../domain/chat/chat-messages.ts'
import { mustBePaced, mustNameSlowly } from '../domain/chat/chat-pacing.ts'
import type { ChatWriting } from '../domain/chat/chat-writing.ts'
import type { Ids } from '../ids.ts'
import type { ChatRooms } from './chat-rooms.ts'

export interface ChatTalkingParts {
  readonly redis: RedisServers
  readonly ids: Ids
  readonly rooms: Pick<ChatRooms, 'slowSeconds'>
  readonly writing: Pick<ChatWriting, 'write'>
  readonly members: Pick<ChatMembers, 'rename'>
}

export interface Talk {
  readonly storeId: string
  /** Undefined when the sender has no wish. */
  readonly id: string | undefined
  readonly text: string
  readonly replyTo?: number | undefined
}

/** What members say in their rooms, at the pace that is theirs. */
export class ChatTalking {
  readonly #parts: ChatTalkingParts

  constructor(parts: ChatTalkingParts) {
    this.#parts = parts
  }

  /** Resolves when it is on disk. The same id again is the same entry again. */
  async talk(accountId: string, talk: Talk): Promise<ChatEntry> {
    const { redis, rooms, ids } = this.#parts
    const { storeId, text } = talk
    const id = talk.id ?? ids.next('msg')
    const slowSeconds = await rooms.slowSeconds(storeId)
    await mustBePaced(redis, { storeId, accountId, id, text, slowSeconds })
    return await this.#say({ ...talk, id }, { accountId, memberId: ids.next('cme') })
  }

  /** The organiser needs no pace. */
  async announce(organiserId: string, talk: Talk, kind: 'talk' | 'notice'): Promise<ChatEntry> {
    return await this.#say({ ...talk, id: talk.id ?? this.#parts.ids.next('msg') }, { organiserId }, kind)
  }

  /** Undefined where nothing had to change. */
  do(draft: Omit<ChatDraft, 'id'> & { readonly id?: string }): Promise<ChatEntry | undefined> {
    return this.#parts.writing.write({ ...draft, id: draft.id ?? this.#parts.ids.next('msg') })
  }

  async rename(storeId: string, accountId: string, name: string): Promise<void> {
    const { redis, ids, members } = this.#parts
    await mustNameSlowly(redis, { storeId, accountId, id: ids.next('msg') })
    await members.rename(storeId, accountId, name)
  }

  async #say(
    { storeId, id, text, replyTo }: Talk & { readonly id: string },
    by: ChatAuthor,
    kind: 'talk' | 'notice' = 'talk',
  ): Promise<ChatEntry> {
    const target = replyTo === undefined ? {} : { targetSeq: replyTo }
    const entry = await this.#parts.writing.write({ storeId, id, kind, by, text, ...target })
    if (entry === undefined) throw new Error('what is said is always written')
    return entry
  }
}
