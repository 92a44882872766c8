import { isCode } from '../client/api-error.ts'
import type { OpenrunClient } from '../client/openrun-client.ts'
import type { QueueJoined } from '../domain/queue/queue-messages.ts'
import { reasonOf, type BuyerParts } from './buyer.ts'
import type { Outcome } from './journal.ts'
import { PlaceInLine } from './place-in-line.ts'
import { Shopping } from './shopping.ts'
import { talk } from './talking.ts'
import { sequenceOfTicket } from './token-reading.ts'

/** One buyer's visit, from pressing Join to the ticket or the way out. Never throws: what goes wrong is noted. */
export async function visit(parts: BuyerParts): Promise<Outcome> {
  const talking = talk(parts)
  const outcome = await attempt(parts).catch((error: unknown): Outcome => {
    if (isCode(error, 'sale_closed')) return 'closed'
    parts.note({ type: 'failed', call: 'visit', why: reasonOf(error) })
    return 'failed'
  })
  await talking
  const told = parts.signal.aborted && outcome === 'failed' ? 'out-of-time' : outcome
  parts.note({ type: 'done', outcome: told })
  return told
}

async function attempt(parts: BuyerParts): Promise<Outcome> {
  const { plan, time, signal } = parts
  await time.wait(plan.arrivesAfterMs, signal)
  if (signal.aborted) return 'out-of-time'
  const joined = await join(parts)
  const place = new PlaceInLine(parts)
  try {
    const turn = await place.wait(joined)
    if (turn.kind === 'gone') {
      // Whoever went on listening would hear that the place is gone, and join again.
      place.close()
      if (turn.outcome !== 'closed') await leave(parts)
      return turn.outcome
    }
    const outcome = await new Shopping({ ...parts, purchaseToken: turn.purchaseToken }).run()
    if (outcome !== 'abandoned') await leave(parts)
    return outcome
  } finally {
    place.close()
  }
}

/** Twice at once where the plan says so: both answers must name the same place. */
async function join(parts: BuyerParts): Promise<QueueJoined> {
  const { client, secondTab, plan } = parts
  const clients = plan.joinsTwice ? [client, secondTab] : [client]
  const answers = await Promise.allSettled(clients.map((each) => joinOnce(parts, each)))
  const joined = answers.find((answer) => answer.status === 'fulfilled')
  if (joined !== undefined) return joined.value
  const failed = answers.find((answer) => answer.status === 'rejected')
  throw failed?.reason as Error
}

async function joinOnce(
  { offer, time, note, signal }: BuyerParts,
  client: OpenrunClient,
): Promise<QueueJoined> {
  note({ type: 'join-sent' })
  const sentMs = time.nowMs()
  const joined = await client.joinQueue(offer.sale.id, { signal })
  note({ type: 'joined', sequence: sequenceOfTicket(joined.ticket), tookMs: time.nowMs() - sentMs })
  return joined
}

/** Makes room for the next one. Whoever has bought all that is allowed has no place to give up any more. */
async function leave({ client, offer, note, signal }: BuyerParts): Promise<void> {
  note({ type: 'leave-sent' })
  await client.leaveQueue(offer.sale.id, { signal }).catch((error: unknown) => {
    if (isCode(error, 'not_in_line', 'sale_closed') || signal.aborted) return
    note({ type: 'failed', call: 'leave', why: reasonOf(error) })
  })
}
