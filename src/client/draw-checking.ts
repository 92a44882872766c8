import type { DrawEntriesPage } from '../domain/queue/draw-messages.ts'
import type { OpenrunClient } from './openrun-client.ts'

/** What came of recomputing a draw from what was published. */
export interface DrawCheck {
  /** What does not fit, in plain words; empty when everything does. */
  readonly faults: readonly string[]
  /** The entries in the order that follows from the seed. */
  readonly order: readonly string[]
  readonly commitment: string
}

/**
 * Recomputes a draw from what anybody can read: that seed, entries and order belong together. That the commitment was
 * there before the entries only whoever noted it then can know.
 * @param noted the commitment as somebody read it before the draw
 * @throws ApiError where nothing is drawn in the sale
 */
export async function checkDraw(
  client: Pick<OpenrunClient, 'draw' | 'drawEntries'>,
  sale: string,
  noted?: string,
): Promise<DrawCheck> {
  const draw = await client.draw(sale)
  if (draw.state !== 'drawn' || draw.seed === undefined)
    return { faults: ['Nothing was drawn yet.'], order: [], commitment: draw.commitment }
  const entries: string[] = []
  // A list that is longer than was said is wrong already, and might have no end.
  for (let cursor: string | null = ''; cursor !== null && entries.length <= draw.entrants;) {
    const page: DrawEntriesPage = await client.drawEntries(sale, cursor === '' ? {} : { cursor })
    entries.push(...page.items)
    cursor = page.items.length === 0 ? null : page.next
  }
  const seed = bytesOf(draw.seed)
  const faults: string[] = []
  if (noted !== undefined && noted !== draw.commitment) {
    faults.push('The commitment is not the one that was noted: the server exchanged it.')
  }
  if ((await sha256(seed)) !== draw.commitment) {
    faults.push('The seed is not the one the server was bound to: its SHA-256 is not the commitment.')
  }
  if (entries.length !== draw.entrants) {
    faults.push(`${entries.length} entries are published, but ${draw.entrants} were drawn from.`)
  }
  if (new Set(entries).size !== entries.length) faults.push('An entry stands in the list more than once.')
  const sorted = entries.toSorted((a, b) => (a < b ? -1 : 1))
  if ((await sha256(new TextEncoder().encode(sorted.map((id) => `${id}\n`).join('')))) !== draw.digest) {
    faults.push('The entries are not those the server was bound to: their SHA-256 is not the digest.')
  }
  return { faults, order: await orderOf(seed, entries), commitment: draw.commitment }
}

async function orderOf(seed: Uint8Array<ArrayBuffer>, entries: readonly string[]): Promise<string[]> {
  const key = await crypto.subtle.importKey('raw', seed, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const ranked: { readonly entry: string; readonly rank: string }[] = []
  for (const entry of entries) {
    ranked.push({
      entry,
      rank: hexOf(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(entry))),
    })
  }
  return ranked.toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ entry }) => entry)
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return hexOf(await crypto.subtle.digest('SHA-256', bytes))
}

function hexOf(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
