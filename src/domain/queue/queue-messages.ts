import { z } from 'zod'

/** What scripts publish about a line. */
export const queueNotice = z.discriminatedUnion('type', [
  z.object({ type: z.literal('admitted'), list: z.array(z.tuple([z.string(), z.string()])) }),
  z.object({ type: z.literal('expired'), accounts: z.array(z.string()) }),
  z.object({ type: z.literal('fulfilled'), accounts: z.array(z.string()) }),
  z.object({ type: z.literal('aside'), accounts: z.array(z.string()) }),
  z.object({ type: z.literal('epoch'), epoch: z.number() }),
  z.object({ type: z.literal('status'), status: z.string() }),
])
export type QueueNotice = z.infer<typeof queueNotice>

/** A move in a line: `+sequence` came, `-sequence` left, `<sequence` everybody up to this one left. */
const lineMove = z.string().regex(/^[-+<]\d{1,16}$/)

/**
 * The head of a line, published by its writer: at the most five times a second, at least once. `prev` is the update it
 * follows; −1 says that what happened since was too much to tell. `tail`: the last number given in this epoch; all up
 * to it came before the moves. `pace`: how many were let in within the last minute.
 */
export const headUpdate = z.object({
  epoch: z.number(),
  prev: z.number(),
  seq: z.number(),
  tail: z.number(),
  moves: z.array(lineMove).default([]),
  waiting: z.number(),
  aside: z.number(),
  arrivals: z.number(),
  active: z.number(),
  holds: z.number(),
  free: z.number(),
  sold: z.number(),
  total: z.number(),
  pace: z.number(),
  is_full: z.boolean(),
  /** The last revision of the units. */
  rev: z.number(),
  rate: z.number(),
  max_active: z.number(),
  status: z.string(),
  /** Of the sale's settings. */
  version: z.number(),
  /** Milliseconds by the clock of Redis. */
  at: z.number(),
})
export type HeadUpdate = z.infer<typeof headUpdate>

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

/** Takes part in the draw that is held at `opensAt`. */
const enteredView = z.object({
  state: z.literal('entered'),
  entry: z
    .string()
    .meta({ description: 'Known to nobody else before the draw; published with all others then' }),
  entrants: z.int().min(0).meta({ description: 'How many have entered, give or take some seconds' }),
  opensAt: z.iso.datetime({ offset: true }),
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
    enteredView.extend({
      ticket: z.string(),
      position: z.literal(0),
      behind: z.literal(0),
      etaSeconds: z.int().min(0).meta({ description: 'To the opening' }),
    }),
    admittedView.extend({
      ticket: z.string(),
      position: z.literal(0),
      behind: z.literal(0),
      etaSeconds: z.literal(0),
    }),
  ])
  .meta({ id: 'QueueJoined' })
export type QueueJoined = z.infer<typeof queueJoined>

const asideView = z.object({
  state: z.literal('aside'),
  until: z.iso
    .datetime({ offset: true })
    .meta({ description: 'Whoever is there again by then is first in line.' }),
})

export const queueStanding = z
  .discriminatedUnion('state', [enteredView, waitingView, asideView, admittedView])
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
      ratePerMinute: z.int().meta({ description: 'The pace that is set' }),
      pacePerMinute: z.int().min(0).meta({ description: 'How many were let in within the last minute' }),
      /** Places of the sale that are free. */
      left: z.int().min(0),
    })
    .meta({ id: 'QueuePosition' }),
  admitted: admittedView.omit({ state: true }).meta({ id: 'QueueAdmitted' }),
  entered: enteredView.omit({ state: true }).meta({ id: 'QueueEntered' }),
  aside: asideView.omit({ state: true }).meta({ id: 'QueueAside' }),
  notice: z
    .object({ text: z.string(), at: z.iso.datetime({ offset: true }) })
    .meta({ id: 'QueueNotice', description: 'What the organiser says; an empty text takes it back.' }),
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
