import { z } from 'zod'
import type { DrawEntering } from '../../domain/queue/draw-entering.ts'
import type { QueueJoining } from '../../domain/queue/queue-joining.ts'
import {
  queueEvents,
  queueJoinBody,
  queueJoined,
  queueStanding,
  type QueueEvent,
} from '../../domain/queue/queue-messages.ts'
import { epochOfSequence, etaSeconds, tokenIdOf, type Admission } from '../../domain/queue/queue-place.ts'
import { queueErrors } from '../../domain/queue/queue-errors.ts'
import type { QueueStore } from '../../domain/queue/queue-store.ts'
import type { QueueTickets } from '../../domain/queue/queue-ticket.ts'
import { mustNotBeClosed, saleStateErrors } from '../../domain/sale-state/sale-failures.ts'
import { saleErrors } from '../../domain/sales/sale-errors.ts'
import type { SaleCatalogue } from '../../domain/sales/sale-catalogue.ts'
import type { Clock } from '../../clock.ts'
import { Problem } from '../../errors.ts'
import type { SignToken } from '../../streams/line-events.ts'
import type { WaitingRoom } from '../../streams/waiting-room.ts'
import { defineChannel, type Channel } from '../channel.ts'
import { defineRoute, defineStream, type Route, type Stream } from '../route.ts'

export interface QueueRoutesParts {
  readonly joining: QueueJoining
  readonly entering: Pick<DrawEntering, 'count'>
  readonly queue: QueueStore
  readonly tickets: QueueTickets
  readonly catalogue: Pick<SaleCatalogue, 'sale'>
  readonly room: WaitingRoom
  readonly signToken: SignToken
  readonly clock: Clock
}

const tag = 'Queue'
const path = '/api/v1/sales/{sale}/queue'
const params = z.object({ sale: z.string().describe('Id of a sale, such as `sal_…`.') })

export function queueRoutes(parts: QueueRoutesParts): Route[] {
  return [joinRoute(parts), standingRoute(parts), leaveRoute(parts)]
}

const joinRoute = (parts: QueueRoutesParts) =>
  defineRoute({
    method: 'POST',
    path,
    summary: 'Join the line of a sale',
    description:
      'One place per account: asking again answers with the place that is there. Keep `ticket` and send it along when joining again, so that the place can be put back if the server ever lost it.',
    tag,
    auth: 'account',
    params,
    body: queueJoinBody,
    responses: {
      201: { description: 'A new place', schema: queueJoined },
      200: { description: 'The place that was there', schema: queueJoined },
    },
    errors: [
      saleErrors.no_such_sale,
      queueErrors.verified_only,
      queueErrors.queue_ticket_invalid,
      saleStateErrors.not_open_yet,
      saleStateErrors.sale_closed,
      saleStateErrors.limit_reached,
      saleStateErrors.restoring,
    ],
    async handle({ params: { sale: saleId }, body, caller: { accountId, accountKind } }) {
      const joiner = { accountId, verified: accountKind === 'verified' }
      const { sale, joined } = await parts.joining.join(saleId, joiner, body.ticket)
      // Of an entry there is no place yet that a ticket could bring back.
      const sequence = joined.state === 'entered' ? 0 : joined.sequence
      const epoch = epochOfSequence(sequence)
      const ticket = parts.tickets.issue({
        sale: saleId,
        account: accountId,
        sequence,
        epoch,
        issuedAt: parts.clock.nowMs(),
      })
      if (joined.state === 'entered') {
        const opensInMs = Math.max(0, sale.opensAtMs - parts.clock.nowMs())
        const draw = { position: 0, behind: 0, etaSeconds: Math.ceil(opensInMs / 1000) }
        const { entryId: entry, entrants } = joined
        const opensAt = new Date(sale.opensAtMs).toISOString()
        return { status: 200, body: { ticket, state: 'entered', entry, entrants, opensAt, ...draw } }
      }
      if (joined.state === 'admitted') {
        const admitted = await admittedView(parts, { saleId, accountId }, joined)
        return {
          status: 200,
          body: { state: 'admitted', ticket, position: 0, behind: 0, etaSeconds: 0, ...admitted },
        }
      }
      const waiting = waitingView(joined, sale.queue.ratePerMinute)
      return { status: joined.created ? 201 : 200, body: { ticket, ...waiting } }
    },
  })

const standingRoute = (parts: QueueRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: `${path}/me`,
    summary: 'Where I stand',
    tag,
    auth: 'account',
    params,
    responses: {
      200: { description: 'Waiting, or admitted with the purchase token', schema: queueStanding },
    },
    errors: [
      saleErrors.no_such_sale,
      saleStateErrors.not_in_line,
      saleStateErrors.sale_closed,
      saleStateErrors.restoring,
    ],
    async handle({ params: { sale: saleId }, caller: { accountId } }) {
      const sale = await parts.catalogue.sale(saleId)
      mustNotBeClosed(sale)
      const place = await parts.joining.standing(sale, accountId)
      if (place.state === 'absent') throw new Problem(saleStateErrors.not_in_line)
      if (place.state === 'waiting')
        return { status: 200, body: waitingView(place, sale.queue.ratePerMinute) }
      if (place.state === 'entered') {
        const entrants = await parts.entering.count(saleId)
        const opensAt = new Date(sale.opensAtMs).toISOString()
        return { status: 200, body: { state: 'entered', entry: place.entryId, entrants, opensAt } }
      }
      if (place.state === 'aside')
        return { status: 200, body: { state: 'aside', until: new Date(place.untilMs).toISOString() } }
      return {
        status: 200,
        body: { state: 'admitted', ...(await admittedView(parts, { saleId, accountId }, place)) },
      }
    },
  })

const leaveRoute = ({ joining }: QueueRoutesParts) =>
  defineRoute({
    method: 'DELETE',
    path: `${path}/me`,
    summary: 'Leave the line, or give the purchase token back',
    description: 'Holds of which no order was made end with it.',
    tag,
    auth: 'account',
    params,
    responses: { 204: { description: 'Left' } },
    errors: [
      saleErrors.no_such_sale,
      saleStateErrors.not_in_line,
      saleStateErrors.being_admitted,
      saleStateErrors.sale_closed,
      saleStateErrors.restoring,
    ],
    async handle({ params: { sale }, caller }) {
      await joining.leave(sale, caller.accountId)
      return { status: 204 }
    },
  })

/** The line as server-sent events. */
export function queueStream({ room, catalogue }: QueueRoutesParts): Stream {
  return defineStream({
    path: `${path}/stream`,
    summary: 'What happens to my place, as it happens',
    description:
      'Begins with where the account stands. `absent` says that it has no place: join again, with the ticket.',
    tag,
    auth: 'account',
    params,
    events: Object.fromEntries(
      Object.entries(queueEvents).map(([name, schema]) => [
        name,
        { description: `The event ${name}`, schema },
      ]),
    ),
    errors: [saleErrors.no_such_sale],
    async open({ params: { sale: saleId }, caller }, stream) {
      const sale = await catalogue.sale(saleId)
      const events = room
        .watch(sale.id, caller.accountId)
        .subscribe(({ type, data }) => stream.send({ event: type, data }))
      stream.onClose(() => events.unsubscribe())
      stream.comment('waiting')
    },
  })
}

/** The line over a WebSocket. */
export function queueChannel({ room, catalogue }: QueueRoutesParts): Channel {
  return defineChannel({
    prefix: 'queue',
    summary: 'What happens to my place in the line of the sale that is named behind the colon.',
    about: 'sale',
    auth: 'account',
    events: queueEvents,
    async subscribe({ name, caller, send }) {
      const sale = await catalogue.sale(name)
      const events = room
        .watch(sale.id, caller.accountId)
        .subscribe(({ type, data }: QueueEvent) => send(type, data))
      return () => events.unsubscribe()
    },
  })
}

function waitingView(place: { ahead: number; behind: number }, ratePerMinute: number) {
  const { ahead, behind } = place
  return {
    state: 'waiting',
    position: ahead + 1,
    behind,
    etaSeconds: etaSeconds(ahead, ratePerMinute),
  } as const
}

async function admittedView(
  { signToken }: QueueRoutesParts,
  who: { saleId: string; accountId: string },
  { sequence, expiresAtMs, admittedAtMs }: Admission,
) {
  const { token } = await signToken({ ...who, jti: tokenIdOf(sequence), expiresAtMs })
  return {
    purchaseToken: token,
    expiresAt: new Date(expiresAtMs).toISOString(),
    admittedAt: new Date(admittedAtMs).toISOString(),
  }
}
