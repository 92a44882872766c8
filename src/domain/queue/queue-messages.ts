import { z } from 'zod'

/** What scripts publish about a line. */
export const queueNotice = z.discriminatedUnion('type', [
  z.object({ type: z.literal('admitted'), list: z.array(z.tuple([z.string(), z.string()])) }),
  z.object({ type: z.literal('expired'), accounts: z.array(z.string()) }),
  z.object({ type: z.literal('fulfilled'), accounts: z.array(z.string()) }),
  z.object({ type: z.literal('epoch'), epoch: z.number() }),
  z.object({ type: z.literal('status'), status: z.string() }),
])
export type QueueNotice = z.infer<typeof queueNotice>

export const queueJoinBody = z
  .object({
    ticket: z.string().max(1024).optional().meta({
      description:
        'The queue ticket of an earlier join. Brings the place back if the line was lost meanwhile.',
    }),
  })
  .strict()
  .meta({ id: 'QueueJoin' })

/** `position` counts from 1; `behind` is how many came later; `etaSeconds` assumes that the gate keeps its pace. */
const waitingView = z.object({
  state: z.literal('waiting'),
  position: z.int().min(1),
  behind: z.int().min(0),
  etaSeconds: z.int().min(0),
})

const admittedView = z.object({
  state: z.literal('admitted'),
  purchaseToken: z.string(),
  expiresAt: z.iso.datetime({ offset: true }),
  admittedAt: z.iso.datetime({ offset: true }),
})

export const queueJoined = z
  .discriminatedUnion('state', [
    waitingView.extend({ ticket: z.string() }),
    admittedView.extend({
      ticket: z.string(),
      position: z.literal(0),
      behind: z.literal(0),
      etaSeconds: z.literal(0),
    }),
  ])
  .meta({ id: 'QueueJoined' })
export type QueueJoined = z.infer<typeof queueJoined>

export const queueStanding = z
  .discriminatedUnion('state', [waitingView, admittedView])
  .meta({ id: 'QueueStanding' })
export type QueueStandingView = z.infer<typeof queueStanding>

/** Events of `GET /sales/{sale}/queue/stream` and of the channel `queue:<sale>`. */
export const queueEvents = {
  position: z
    .object({
      position: z.int().min(1),
      ahead: z.int().min(0),
      behind: z.int().min(0),
      etaSeconds: z.int().min(0),
      ratePerMinute: z.int(),
      /** Places of the sale that are free. */
      left: z.int().min(0),
    })
    .meta({ id: 'QueuePosition' }),
  admitted: admittedView.omit({ state: true }).meta({ id: 'QueueAdmitted' }),
  paused: z.object({}).meta({ id: 'QueuePaused' }),
  resumed: z.object({}).meta({ id: 'QueueResumed' }),
  soldout: z.object({}).meta({ id: 'QueueSoldOut' }),
  closed: z.object({}).meta({ id: 'QueueClosed' }),
  expired: z.object({}).meta({ id: 'QueueExpired' }),
  fulfilled: z.object({}).meta({ id: 'QueueFulfilled' }),
  absent: z.object({}).meta({ id: 'QueueAbsent' }),
} as const
export type QueueEventType = keyof typeof queueEvents
export type QueueEvent = {
  [K in QueueEventType]: { readonly type: K; readonly data: z.infer<(typeof queueEvents)[K]> }
}[QueueEventType]
