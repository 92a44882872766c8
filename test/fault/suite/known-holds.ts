import type { Call } from './history.ts'

/** What is known of a hold from the calls: each bound is the loosest that any of them gives. */
export interface KnownHold {
  readonly id: string
  readonly sale: string
  readonly who: string
  readonly units: readonly { readonly unit: string; readonly quantity: number }[]
  readonly givenFromMs: number
  readonly givenByMs: number
  /** Its own end, or earlier where it may have been let go of. */
  readonly endsMs: number
}

/** However often a hold was asked for or told, it was given once, by the first answer. */
export function knownHolds(calls: readonly Call[], epochMs: number): KnownHold[] {
  const known = new Map<string, KnownHold>()
  const firstAskedMs = new Map<string, number>()
  for (const { method, path, status, answer, atMs, endMs, who, key } of calls) {
    const sale = /^\/api\/v1\/sales\/([^/]+)\/holds$/.exec(path)?.[1]
    if (method !== 'POST' || sale === undefined) continue
    // The call that was heard may repeat one that was not.
    if (key !== '' && !firstAskedMs.has(key)) firstAskedMs.set(key, atMs)
    if (status !== 201 || endMs === undefined || answer === '') continue
    const { hold } = JSON.parse(answer) as {
      hold: { id: string; expiresAt: string; units: KnownHold['units'] }
    }
    const before = known.get(hold.id)
    known.set(hold.id, {
      id: hold.id,
      sale,
      who,
      units: hold.units,
      givenFromMs: Math.min(before?.givenFromMs ?? Infinity, firstAskedMs.get(key) ?? atMs),
      givenByMs: Math.min(before?.givenByMs ?? Infinity, endMs),
      endsMs: Math.max(before?.endsMs ?? 0, Date.parse(hold.expiresAt) - epochMs),
    })
  }
  const endings = endingsOf(calls)
  return [...known.values()].map((hold) => ({ ...hold, endsMs: letGoMs(hold, endings) }))
}

function letGoMs(
  { id, sale, who, givenFromMs, endsMs }: KnownHold,
  endings: ReadonlyMap<string, readonly Call[]>,
): number {
  return (endings.get(who) ?? [])
    .filter(({ path }) => path.endsWith(`/holds/${id}`) || path.endsWith(`/sales/${sale}/queue/me`))
    .filter(({ atMs }) => atMs >= givenFromMs)
    .reduce((first, { atMs }) => Math.min(first, atMs), endsMs)
}

/** Calls that may have ended a hold from the moment at which they were sent, whatever was answered, by who sent them. */
function endingsOf(calls: readonly Call[]): Map<string, Call[]> {
  const endings = new Map<string, Call[]>()
  for (const call of calls) {
    if (call.method === 'DELETE') endings.set(call.who, [...(endings.get(call.who) ?? []), call])
  }
  return endings
}
