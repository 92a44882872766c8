import { z } from 'zod'
import type { Sql } from '../../db/postgres.ts'
import { chatErrors } from '../../domain/chat/chat-errors.ts'
import type { ChatMembers } from '../../domain/chat/chat-members.ts'
import {
  chatMute,
  chatMuteBody,
  chatPinBody,
  chatRoomBody,
  chatRoomView,
  type ChatNotice,
} from '../../domain/chat/chat-messages.ts'
import { readChatRoom } from '../../domain/chat/chat-store.ts'
import { storeErrors } from '../../domain/stores/store-errors.ts'
import { isStoreId } from '../../domain/stores/store-messages.ts'
import { generalErrors } from '../../errors.ts'
import type { ChatTalking } from '../../streams/chat-talking.ts'
import { defineRoute, type Route } from '../route.ts'

export interface ChatModerationParts {
  readonly sql: Sql
  readonly talking: Pick<ChatTalking, 'do'>
  readonly members: Pick<ChatMembers, 'mute'>
  /** Tells all processes. */
  readonly announce: (storeId: string, notice: ChatNotice) => void
}

const tag = 'Chat'
const store = z
  .string()
  .refine(isStoreId, 'must be the id of a store')
  .describe('Id of a store, such as `sto_…`.')
const errors = [storeErrors.no_such_store, generalErrors.forbidden, generalErrors.invalid_request]

/** What the organiser does in a room. Each of it is an entry there, but for a mute, which only the one concerned hears of. */
export function chatModerationRoutes(parts: ChatModerationParts): Route[] {
  return [deleteRoute(parts), pinRoute(parts), muteRoute(parts), roomRoute(parts)]
}

const deleteRoute = ({ talking }: ChatModerationParts) =>
  defineRoute({
    method: 'DELETE',
    path: '/api/v1/stores/{store}/messages/{seq}',
    summary: 'Delete what was said',
    description: 'Its place in the order stays; its text is gone for good. Deleting again does nothing.',
    tag,
    auth: 'organiser',
    params: z.object({ store, seq: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }),
    responses: { 204: { description: 'It is gone' } },
    errors: [...errors, chatErrors.no_such_entry],
    async handle({ params: { store: storeId, seq }, caller: { organiserId } }) {
      await talking.do({
        storeId,
        id: `deleted:${seq}`,
        kind: 'deleted',
        by: { organiserId },
        targetSeq: seq,
      })
      return { status: 204 }
    },
  })

const pinRoute = ({ sql, talking }: ChatModerationParts) =>
  defineRoute({
    method: 'PUT',
    path: '/api/v1/stores/{store}/messages/pinned',
    summary: 'Pin what was said, or take the pin off',
    tag,
    auth: 'organiser',
    params: z.object({ store }),
    body: chatPinBody,
    responses: { 200: { description: 'The room', schema: chatRoomView } },
    errors: [...errors, chatErrors.no_such_entry],
    async handle({ params: { store: storeId }, body: { seq }, caller: { organiserId } }) {
      const target = seq === null ? {} : { targetSeq: seq }
      await talking.do({ storeId, kind: 'pinned', by: { organiserId }, ...target })
      return { status: 200, body: await readChatRoom(sql, storeId) }
    },
  })

const muteRoute = ({ members, announce }: ChatModerationParts) =>
  defineRoute({
    method: 'POST',
    path: '/api/v1/stores/{store}/members/{member}/mute',
    summary: 'Ask a member to be silent for a while',
    description: 'With 0 minutes the member may talk again.',
    tag,
    auth: 'organiser',
    params: z.object({ store, member: z.string().max(64) }),
    body: chatMuteBody,
    responses: { 200: { description: 'Until when', schema: chatMute } },
    errors: [...errors, chatErrors.no_such_member],
    async handle({ params, body: { minutes }, caller: { organiserId } }) {
      const { store: storeId, member: memberId } = params
      const { accountId, until } = await members.mute({ storeId, organiserId, memberId, minutes })
      announce(storeId, { type: 'muted', account: accountId, until: until.toISOString() })
      return { status: 200, body: { member: memberId, mutedUntil: until.toISOString() } }
    },
  })

const roomRoute = ({ sql, talking }: ChatModerationParts) =>
  defineRoute({
    method: 'PATCH',
    path: '/api/v1/stores/{store}/room',
    summary: 'Make a room slow, close it, open it again',
    description: 'The same change again changes nothing. The room of a store that has closed stays closed.',
    tag,
    auth: 'organiser',
    params: z.object({ store }),
    body: chatRoomBody,
    responses: { 200: { description: 'The room', schema: chatRoomView } },
    errors: [...errors, storeErrors.store_closed],
    async handle({ params: { store: storeId }, body, caller: { organiserId } }) {
      const { slowSeconds: seconds, closed } = body
      const by = { organiserId }
      if (seconds !== undefined) await talking.do({ storeId, kind: 'slow', by, seconds })
      if (closed !== undefined) await talking.do({ storeId, kind: closed ? 'closed' : 'opened', by })
      return { status: 200, body: await readChatRoom(sql, storeId) }
    },
  })
