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
  const ranked: { readonly entry: E; readonly rank: string }[] = []
  for (let at = 0; at < entries.length; at += slice) {
    for (const entry of entries.slice(at, at + slice)) {
      ranked.push({ entry, rank: createHmac('sha256', key).update(entry.entryId).digest('hex') })
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  return ranked.toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ entry }) => entry)
}
