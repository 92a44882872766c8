import { z } from 'zod'
import { plainText } from '../sales/sale-layout-messages.ts'

/** What can happen in a room. */
const chatKinds = ['talk', 'notice', 'deleted', 'pinned', 'slow', 'closed', 'opened'] as const

/** One line that reads as it is written: nothing in it turns the direction of what follows. */
const line = (max: number) =>
  plainText(max).regex(
    /^[^\u2028\u2029\u202A-\u202E\u2066-\u2069]*$/u,
    'must not hold marks that turn the direction of text',
  )

const seq = z.int().min(1)

/** Entries that a page of the room holds. */
export const pageEntries = 50

export const chatEntry = z
  .object({
    seq,
    id: z.string().meta({ description: 'The one its sender chose, or one made here' }),
    kind: z.enum(chatKinds),
    member: z
      .object({ id: z.string(), name: z.string() })
      .nullable()
      .meta({ description: 'Who said it; null for the organiser' }),
    text: z.string().meta({ description: 'Plain text; empty once it is deleted' }),
    replyTo: seq.optional().meta({ description: 'The entry that is answered' }),
    target: seq
      .optional()
      .meta({ description: 'The entry that was deleted or pinned; a `pinned` without it takes the pin off' }),
    seconds: z.int().min(0).optional().meta({ description: 'Of `slow`: seconds between two messages' }),
    at: z.iso.datetime(),
    deleted: z.literal(true).optional(),
  })
  .meta({ id: 'ChatEntry' })
export type ChatEntry = z.infer<typeof chatEntry>

export const chatEntries = z.object({ prev: z.int(), seq: z.int(), entries: z.array(chatEntry) }).meta({
  id: 'ChatEntries',
  description:
    'Apply them if `prev` is where you are, else ask again with `since`. Without entries it only says where the room is.',
})
export type ChatEntries = z.infer<typeof chatEntries>

export const chatJoined = z
  .object({
    epoch: z.int(),
    seq: z.int(),
    members: z.int().min(0).meta({ description: 'How many accounts are there' }),
    me: z
      .object({ id: z.string(), name: z.string(), mutedUntil: z.iso.datetime().optional() })
      .nullable()
      .meta({ description: 'As the others know me; null without an account' }),
    entries: z.array(chatEntry).meta({ description: 'Oldest first: the newest, or what was missed' }),
    gap: z
      .literal(true)
      .optional()
      .meta({ description: 'More was missed than is told: these are the newest' }),
    pinned: chatEntry.nullable(),
    slowSeconds: z.int().min(0),
    closed: z.boolean(),
  })
  .meta({ id: 'ChatJoined' })
export type ChatJoined = z.infer<typeof chatJoined>

const chatPresence = z.object({ members: z.int().min(0) }).meta({ id: 'ChatPresence' })

const chatMuted = z
  .object({ until: z.iso.datetime().meta({ description: 'Past when it was lifted' }) })
  .meta({ id: 'ChatMuted' })

/** What a member is told, over a WebSocket and as server-sent events alike. */
export const chatEvents = {
  joined: chatJoined,
  entries: chatEntries,
  presence: chatPresence,
  muted: chatMuted,
} as const

const talk = {
  text: line(1000),
  replyTo: seq.optional(),
}

/** What is published to a room: something said, or a new name. */
export const chatPublished = z
  .strictObject({
    talk: z
      .strictObject({
        id: z
          .string()
          .regex(/^[\w-]{1,64}$/)
          .optional()
          .meta({ description: 'Of your own making: the same message sent again stands once' }),
        ...talk,
      })
      .optional(),
    name: line(20).optional(),
  })
  .refine((data) => (data.talk === undefined) !== (data.name === undefined), 'must be either talk or a name')
  .meta({ id: 'ChatPublish' })

export const chatTalkBody = z
  .strictObject({
    ...talk,
    notice: z.literal(true).optional().meta({ description: 'For the organiser alone: shown as a notice' }),
  })
  .meta({ id: 'ChatTalk' })

export const chatPinBody = z.strictObject({ seq: seq.nullable() }).meta({ id: 'ChatPin' })

export const chatMuteBody = z
  .strictObject({
    minutes: z.int().min(0).max(43_200).meta({ description: '0 lets the member talk again' }),
  })
  .meta({ id: 'ChatMute' })

export const chatMute = z
  .object({ member: z.string(), mutedUntil: z.iso.datetime() })
  .meta({ id: 'ChatMuteView' })

export const chatRoomBody = z
  .strictObject({
    slowSeconds: z.int().min(0).max(3600).optional(),
    closed: z.boolean().optional(),
  })
  .meta({ id: 'ChatRoomChange' })

export const chatRoomView = z
  .object({
    epoch: z.int(),
    seq: z.int(),
    slowSeconds: z.int().min(0),
    pinned: seq.nullable(),
    closed: z.boolean(),
  })
  .meta({ id: 'ChatRoom' })
export type ChatRoomView = z.infer<typeof chatRoomView>

export const chatQuery = z.object({
  cursor: z.string().max(64).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(100).default(pageEntries),
  q: plainText(100).optional().describe('Only what has this in its text.'),
})

export const chatPage = z
  .object({
    items: z.array(chatEntry).meta({ description: 'Newest first' }),
    next: z.string().nullable().meta({ description: 'A page may hold fewer than asked for and have a next' }),
  })
  .meta({ id: 'ChatPage' })

/** What processes tell each other about a room, on its Redis channel. */
export const chatNotice = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('entries'),
    epoch: z.number(),
    prev: z.number(),
    seq: z.number(),
    entries: z.array(chatEntry),
  }),
  z.object({ type: z.literal('presence'), members: z.number() }),
  z.object({ type: z.literal('muted'), account: z.string(), until: z.string() }),
])
export type ChatNotice = z.infer<typeof chatNotice>
export type ChatEntriesNotice = Extract<ChatNotice, { type: 'entries' }>
