import { groupedBy } from '../../../src/crowd/grouped-by.ts'
import type { Call } from './history.ts'
import type { Breach } from './promises.ts'

interface Holding {
  readonly hold: string
  readonly sale: string
  readonly unit: string
  readonly who: string
  readonly fromMs: number
  toMs: number
}

/**
 * Nobody is given a seat that somebody else is surely holding: from the answer that gave it until its end, or until
 * something was sent that may have ended it. What Redis has forgotten is nobody's any more.
 * @param forgottenMs when Redis lost what it held, in the history's time
 * @param epochMs when the history began
 */
export function judgeHeldSeats(
  calls: readonly Call[],
  { forgottenMs, epochMs }: { forgottenMs: readonly number[]; epochMs: number },
): Breach[] {
  const holdings = calls.flatMap((call) => holdingsOf(call, epochMs))
  for (const holding of holdings) {
    const ended = calls.find((call) => endsHold(call, holding))
    const lost = forgottenMs.find((ms) => ms >= holding.fromMs - slackMs)
    holding.toMs = Math.min(holding.toMs, ended?.atMs ?? Infinity, lost ?? Infinity)
  }
  const byUnit = groupedBy(holdings, ({ sale, unit }) => `${sale} ${unit}`)
  return [...byUnit.values()].flatMap((own) => {
    const sorted = own.toSorted((a, b) => a.fromMs - b.fromMs)
    return sorted.flatMap((one, index) => {
      const before = sorted
        .slice(0, index)
        .find(({ toMs, hold }) => toMs > one.fromMs + slackMs && hold !== one.hold)
      if (before === undefined) return []
      return [
        {
          promise: 1,
          what: `${one.unit} of ${one.sale} was held as ${before.hold} and given again as ${one.hold}`,
        },
      ]
    })
  })
}

/** Between what the stores decide and what is written down here. */
const slackMs = 1_500

function holdingsOf({ method, path, status, answer, endMs, who }: Call, epochMs: number): Holding[] {
  const sale = /^\/api\/v1\/sales\/([^/]+)\/holds$/.exec(path)?.[1]
  if (method !== 'POST' || sale === undefined || status !== 201 || endMs === undefined) return []
  const { hold } = JSON.parse(answer) as {
    hold: { id: string; expiresAt: string; units: { unit: string }[] }
  }
  const toMs = Date.parse(hold.expiresAt) - epochMs
  // Only seats: of a slot many hold a place.
  const seats = hold.units.filter(({ unit }) => !unit.includes('T'))
  return seats.map(({ unit }) => ({ hold: hold.id, sale, unit, who, fromMs: endMs, toMs }))
}

/** From its order on a hold ends as the order does. */
function endsHold({ method, path, atMs, sent, who }: Call, holding: Holding): boolean {
  if (atMs < holding.fromMs - slackMs || who !== holding.who) return false
  if (method === 'DELETE') return path.endsWith(`/holds/${holding.hold}`) || path.endsWith('/queue/me')
  return method === 'POST' && path.endsWith('/orders') && sent.includes(holding.hold)
}
