import { z } from 'zod'
import type { ChatMembers } from '../../domain/chat/chat-members.ts'
import { chatErrors } from '../../domain/chat/chat-errors.ts'
import { chatEvents, chatPublished, type ChatJoined } from '../../domain/chat/chat-messages.ts'
import { storeErrors } from '../../domain/stores/store-errors.ts'
import { isStoreId } from '../../domain/stores/store-messages.ts'
import { generalErrors, Problem } from '../../errors.ts'
import type { ChatEvent } from '../../streams/chat-room.ts'
import type { ChatRooms } from '../../streams/chat-rooms.ts'
import type { ChatTalking } from '../../streams/chat-talking.ts'
import type { Caller } from '../caller.ts'
import { defineChannel, type Channel } from '../channel.ts'
import { defineStream, type Stream } from '../route.ts'

export interface ChatChannelParts {
  readonly rooms: Pick<ChatRooms, 'open'>
  readonly members: Pick<ChatMembers, 'enter'>
  readonly talking: Pick<ChatTalking, 'talk' | 'announce' | 'rename'>
}

/** Where what a group of the members of a room are told is published. */
export function chatTopic(storeId: string, group: number): string {
  return `chat:${storeId}/${group}`
}

/** A room over a WebSocket. */
export function chatChannelRoute(parts: ChatChannelParts): Channel {
  return defineChannel({
    prefix: 'chat',
    about: 'store',
    summary:
      'The room of a store. Everybody may read; an account talks, and is counted. Apply `entries` if `prev` is where you are, else subscribe again with `since`; what comes twice then has the same `seq`.',
    auth: 'public',
    events: chatEvents,
    publishes: chatPublished,
    async subscribe({ name, caller, since, send, join }) {
      return await enterRoom(parts, {
        storeId: name,
        caller,
        since,
        send: (event) => send(event.type, event.data, 'id' in event ? event.id : undefined),
        join: (group) => join(chatTopic(name, group)),
      })
    },
    async publish({ name: storeId, caller, data: { talk, name } }) {
      if (caller === undefined) throw new Problem(generalErrors.unauthenticated)
      mustBeStore(storeId)
      if (caller.kind === 'account') {
        if (name !== undefined) await parts.talking.rename(storeId, caller.accountId, name)
        if (talk !== undefined) await parts.talking.talk(caller.accountId, { storeId, ...talk, id: talk.id })
      } else {
        if (talk === undefined) throw new Problem(generalErrors.forbidden)
        await parts.talking.announce(caller.organiserId, { storeId, ...talk, id: talk.id }, 'talk')
      }
    },
  })
}

/** The same as server-sent events. */
export function chatStream(parts: ChatChannelParts): Stream {
  return defineStream({
    path: '/api/v1/stores/{store}/messages/stream',
    summary: 'What happens in the room of a store, as it happens',
    description:
      'Begins with the newest entries, or after Last-Event-ID with what was missed. Apply `entries` if `prev` is where you are, else connect anew.',
    tag: 'Chat',
    auth: 'public',
    params: z.object({ store: z.string().describe('Id of a store, such as `sto_…`.') }),
    events: {
      joined: { description: 'Where the room is', schema: chatEvents.joined },
      entries: { description: 'What has happened since the event before', schema: chatEvents.entries },
      presence: { description: 'How many are there', schema: chatEvents.presence },
      muted: { description: 'For you alone: be silent until then', schema: chatEvents.muted },
    },
    errors: [storeErrors.no_such_store],
    async open({ params: { store: storeId }, caller }, stream) {
      const leave = await enterRoom(parts, {
        storeId,
        caller,
        since: stream.lastEventId,
        send: ({ type, data, ...more }) => stream.send({ event: type, data, ...more }),
        join: (group) => stream.join(chatTopic(storeId, group)),
      })
      stream.onClose(leave)
    },
  })
}

interface Entering {
  readonly storeId: string
  readonly caller: Caller | undefined
  readonly since: string | undefined
  readonly send: (event: ChatEvent) => void
  readonly join: (group: number) => void
}

/** Sends where the room is, and from then on what is told there. Answers how to leave. */
async function enterRoom(
  { rooms, members }: ChatChannelParts,
  { storeId, caller, since, send, join }: Entering,
): Promise<() => void> {
  mustBeStore(storeId)
  const { room, release } = await rooms.open(storeId)
  try {
    const accountId = caller?.kind === 'account' ? caller.accountId : undefined
    const member = accountId === undefined ? undefined : await members.enter(storeId, accountId)
    const joined = await room.joined(member ? meOf(member) : null, since)
    const { group, leave } = room.enter({ accountId, send })
    const { id, ...data } = joined()
    send({ type: 'joined', id, data })
    join(group)
    return () => {
      leave()
      release()
    }
  } catch (error) {
    release()
    throw error
  }
}

function meOf({
  memberId: id,
  name,
  mutedUntil,
}: Awaited<ReturnType<ChatMembers['enter']>>): ChatJoined['me'] {
  return { id, name, ...(mutedUntil && { mutedUntil: mutedUntil.toISOString() }) }
}

function mustBeStore(storeId: string): void {
  if (!isStoreId(storeId)) throw new Problem(storeErrors.no_such_store)
}

/** What talking can be refused for. */
export const talkErrors = [
  storeErrors.no_such_store,
  chatErrors.room_closed,
  chatErrors.no_such_entry,
  chatErrors.chat_muted,
  chatErrors.chat_flooding,
  chatErrors.chat_repeated,
  chatErrors.chat_slow,
  chatErrors.chat_id_taken,
]
