import type { ChatEntry, ChatRoomView } from '../domain/chat/chat-messages.ts'

/** Where a room is read, as it stands on disk. */
export interface ChatSource {
  room(storeId: string): Promise<ChatRoomView>
  entries(
    storeId: string,
    range: { readonly after: number; readonly upTo?: number; readonly limit: number },
  ): Promise<ChatEntry[]>
}
