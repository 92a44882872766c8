import type { Foundation } from './compose-foundation.ts'
import { runScript } from './db/script.ts'
import { chatChannel, chatKeys } from './domain/chat/chat-keys.ts'
import { ChatMembers } from './domain/chat/chat-members.ts'
import type { ChatNotice } from './domain/chat/chat-messages.ts'
import { chatPresence } from './domain/chat/chat-scripts.ts'
import { beginChatEpoch, readChatEntries, readChatHeads, readChatRoom } from './domain/chat/chat-store.ts'
import { ChatWriting } from './domain/chat/chat-writing.ts'
import type { Channel } from './server/channel.ts'
import type { Route, Stream } from './server/route.ts'
import { chatChannelRoute, chatStream, chatTopic } from './server/routes/chat-channel.ts'
import { chatModerationRoutes } from './server/routes/chat-moderation.ts'
import { chatRoutes } from './server/routes/chat.ts'
import type { Topics } from './server/topics.ts'
import { ChatRooms, presenceTtlMs } from './streams/chat-rooms.ts'
import { ChatTalking } from './streams/chat-talking.ts'

export interface Chat {
  readonly routes: readonly Route[]
  readonly stream: Stream
  readonly channel: Channel
  stop(): void
}

/** The rooms of the stores. */
export function composeChat(base: Foundation, topics: Topics): Chat {
  const { sql, redis, ids, processId, tell } = base
  const rooms = new ChatRooms({
    ...base,
    source: {
      room: (storeId) => readChatRoom(sql, storeId),
      entries: (storeId, range) => readChatEntries(sql, storeId, range),
      heads: (storeIds) => readChatHeads(sql, storeIds),
      beginEpoch: (told) => beginChatEpoch(sql, told),
    },
    count: async (storeId, members) => {
      const keys = { presence: chatKeys.presence(storeId) }
      const args = { process: processId, members, ttl_ms: presenceTtlMs }
      return Number(await runScript(redis, chatPresence, { keys, args }))
    },
    tell: (storeId, group, event) =>
      topics.publish(chatTopic(storeId, group), { ch: `chat:${storeId}`, ...event }),
  })
  const announce = (storeId: string, notice: ChatNotice): void => {
    rooms.hear(storeId, notice)
    tell(chatChannel(storeId), JSON.stringify(notice))
  }
  const writing = new ChatWriting({ sql, onWritten: announce })
  const members = new ChatMembers({ sql, ids })
  const talking = new ChatTalking({ redis, ids, rooms, writing, members })
  const parts = { sql, rooms, members, talking, announce }
  return {
    routes: [...chatRoutes(parts), ...chatModerationRoutes(parts)],
    stream: chatStream(parts),
    channel: chatChannelRoute(parts),
    stop: () => rooms.stop(),
  }
}
