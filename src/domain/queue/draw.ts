import { createHash, createHmac, randomBytes } from 'node:crypto'

/** 32 bytes in hex that nobody can foresee. */
export function randomSeed(): string {
  return randomBytes(32).toString('hex')
}

/** What binds the server to a seed before anybody enters: its SHA-256, in hex. */
export function commitmentOf(seed: string): string {
  return createHash('sha256').update(Buffer.from(seed, 'hex')).digest('hex')
}

/** What binds the server to the entries before the seed is shown. @param entryIds sorted */
export function digestOf(entryIds: readonly string[]): string {
  const hash = createHash('sha256')
  for (const entryId of entryIds) hash.update(`${entryId}\n`)
  return hash.digest('hex')
}

/** Entries ranked in one go; the process answers others in between. */
const slice = 5000

/**
 * The drawn order: by HMAC-SHA256 of the entry id under the seed. Whoever has seed and entries finds the same one.
 * @returns the entries, the first one first
 */
export async function drawnOrder<E extends { readonly entryId: string }>(
  seed: string,
  entries: readonly E[],
): Promise<E[]> {
  const key = Buffer.from(seed, 'hex')
  // By the first byte of their ranks, so that no single sort is long: one of a million entries would last longer than a lease.
  const groups = Array.from({ length: 256 }, (): { readonly entry: E; readonly rank: string }[] => [])
  for (let at = 0; at < entries.length; at += slice) {
    for (const entry of entries.slice(at, at + slice)) {
      const rank = createHmac('sha256', key).update(entry.entryId).digest('hex')
      groups[Number.parseInt(rank.slice(0, 2), 16)]?.push({ entry, rank })
    }
    await others()
  }
  const order: E[] = []
  let rested = 0
  for (const group of groups) {
    for (const { entry } of group.sort((a, b) => (a.rank < b.rank ? -1 : 1))) order.push(entry)
    if (order.length - rested < slice) continue
    rested = order.length
    await others()
  }
  return order
}

/** Resolves when the process has answered others. */
function others(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
