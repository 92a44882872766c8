import { z } from 'zod'

/** Comes back in the reply to the frame. */
const ref = z.union([z.string().max(64), z.int()]).meta({ description: 'Comes back in the reply' })

const ch = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[a-z]+(?::[\w-]+)?$/)
  .meta({
    description: 'A channel: its prefix, a colon and what it is about',
    examples: ['queue:sal_0a1b2c3d4e5f6g7h8i9j'],
  })

export const subscribeFrame = z.object({
  op: z.literal('subscribe'),
  ch,
  since: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'Resume after this `id`, of the form epoch:sequence' }),
  ref: ref.optional(),
})

export const unsubscribeFrame = z.object({ op: z.literal('unsubscribe'), ch, ref: ref.optional() })

export const publishFrame = z.object({
  op: z.literal('publish'),
  ch,
  data: z.unknown(),
  ref: ref.optional(),
})

/** What a client sends: one JSON object a frame. */
export const clientFrame = z.discriminatedUnion('op', [subscribeFrame, unsubscribeFrame, publishFrame])
export type ClientFrame = z.infer<typeof clientFrame>

/** An event of a channel. */
export const eventFrame = z.object({
  ch: z.string(),
  type: z.string(),
  id: z
    .string()
    .optional()
    .meta({ description: 'The position after this event; give it as `since` to resume' }),
  data: z.unknown(),
})
export type EventFrame = z.infer<typeof eventFrame>

export const okFrame = z.object({ ref, ok: z.literal(true) })

/** `ref` is absent when the frame that went wrong had none that could be read. */
export const errorFrame = z.object({
  ref: ref.optional(),
  error: z.looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    traceId: z.string(),
  }),
})

/** What the server sends. */
export type ServerFrame = EventFrame | z.infer<typeof okFrame> | z.infer<typeof errorFrame>

export const frameBytesMax = 16 * 1024
export const framesPerSecondMax = 20
