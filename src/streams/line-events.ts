import type { HeadUpdate, QueueEvent } from '../domain/queue/queue-messages.ts'
import {
  etaSeconds,
  expectedPace,
  tokenIdOf,
  type Admission,
  type AsidePlace,
  type EnteredPlace,
  type GatePace,
} from '../domain/queue/queue-place.ts'
import type { Sale } from '../domain/sales/sale.ts'

type EventOf<T extends QueueEvent['type']> = Extract<QueueEvent, { readonly type: T }>

/** What the gate does, as the newest head update says. */
export function gatePace(sale: Sale, head: HeadUpdate | undefined): GatePace {
  const { ratePerMinute } = sale.queue
  return { ratePerMinute, admittedLastMinute: head?.pace ?? 0, isFull: head?.is_full ?? false }
}

export function positionEvent(place: {
  readonly ahead: number
  readonly behind: number
  readonly left: number
  readonly sale: Sale
  readonly head: HeadUpdate | undefined
}): EventOf<'position'> {
  const { ahead, behind, left, sale, head } = place
  const data = {
    position: ahead + 1,
    ahead,
    behind,
    etaSeconds: etaSeconds(ahead, expectedPace(gatePace(sale, head))),
    ratePerMinute: sale.queue.ratePerMinute,
    pacePerMinute: head?.pace ?? 0,
    left,
  }
  return { type: 'position', data }
}

/** Signs the purchase token of an admission. Resolves to the token. */
export type SignToken = (claims: {
  saleId: string
  accountId: string
  jti: string
  expiresAtMs: number
}) => Promise<{ token: string }>

/** Rejects when the token cannot be signed. */
export async function admittedEvent(
  signToken: SignToken,
  who: { readonly saleId: string; readonly accountId: string },
  admission: Admission,
): Promise<EventOf<'admitted'>> {
  const jti = tokenIdOf(admission.sequence)
  const { token: purchaseToken } = await signToken({ ...who, jti, expiresAtMs: admission.expiresAtMs })
  const expiresAt = new Date(admission.expiresAtMs).toISOString()
  const admittedAt = new Date(admission.admittedAtMs).toISOString()
  return { type: 'admitted', data: { purchaseToken, expiresAt, admittedAt } }
}

/** What the organiser says, or that it is taken back. */
export function noticeEvent(notice: Sale['notice'], nowMs: number): EventOf<'notice'> {
  const { text, atMs } = notice ?? { text: '', atMs: nowMs }
  return { type: 'notice', data: { text, at: new Date(atMs).toISOString() } }
}

/** What a change of the sale means to those who wait; undefined when nothing. */
export function statusEvent(status: string, before: string): QueueEvent | undefined {
  if (status === 'paused') return { type: 'paused', data: {} }
  if (status === 'soldout') return { type: 'soldout', data: {} }
  if (status === 'closed') return { type: 'closed', data: {} }
  return before === '' || before === 'scheduled' ? undefined : { type: 'resumed', data: {} }
}

/** What is told to one who is not in the line and yet has a place, or will: set aside, or entered for the draw. */
export function besideEvent(
  place: AsidePlace | EnteredPlace,
  entrants: number,
  sale: Sale | undefined,
): EventOf<'aside' | 'entered'> {
  if (place.state === 'aside')
    return { type: 'aside', data: { until: new Date(place.untilMs).toISOString() } }
  const opensAt = new Date(sale?.opensAtMs ?? 0).toISOString()
  return { type: 'entered', data: { entry: place.entryId, entrants, opensAt } }
}
