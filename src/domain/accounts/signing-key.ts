import type { JWK } from 'jose'

/**
 * What a key is for. A token signed for one purpose never verifies for another, whatever it says of itself.
 * `queue` is an HMAC secret; the others are ES256 pairs.
 */
export const keyPurposes = ['access', 'purchase', 'ticket', 'queue'] as const
export type KeyPurpose = (typeof keyPurposes)[number]

/**
 * A key's life:
 *
 * | state    | when                                        | signs | verifies | published |
 * |----------|---------------------------------------------|-------|----------|-----------|
 * | awaited  | before `signsFromMs`                        | no    | yes      | yes       |
 * | signing  | from then until a younger key signs         | yes   | yes      | yes       |
 * | retired  | until `verifiesUntilMs` (no end: undefined) | no    | yes      | yes       |
 * | gone     | afterwards                                  | no    | no       | no        |
 *
 * A new key is awaited for a while so that every process and every scanner has read it before the first signature.
 */
export interface StoredKey {
  readonly kid: string
  readonly purpose: KeyPurpose
  readonly privateJwk: JWK
  /** Absent for a secret. */
  readonly publicJwk: JWK | undefined
  readonly signsFromMs: number
  readonly verifiesUntilMs: number | undefined
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** The longest life of what a key of this purpose signs; a ticket has no end, so its key verifies for ever. */
export const signedLifeMs: Readonly<Record<KeyPurpose, number | undefined>> = {
  access: 12 * hourMs,
  // A day, and an hour for ends that fall between two seconds.
  purchase: dayMs + hourMs,
  ticket: undefined,
  queue: 366 * dayMs,
}

/** Every process reads the keys at least this often. */
export const keyReloadMs = 60_000
/** From a new key's making to its first signature: two readings by every process. */
export const keyAwaitedMs = 2 * keyReloadMs
/** Processes sign with the old key until they have read the new one, by clocks that may differ a little. */
const handoverMs = keyReloadMs + 5 * 60_000

export function verifies(key: StoredKey, nowMs: number): boolean {
  return key.verifiesUntilMs === undefined || nowMs < key.verifiesUntilMs
}

/** The key that signs at this moment: the youngest of those no longer awaited, else the one awaited least. */
export function signingAt(
  keys: readonly StoredKey[],
  purpose: KeyPurpose,
  nowMs: number,
): StoredKey | undefined {
  const own = keys.filter((key) => key.purpose === purpose).toSorted(byAge)
  return own.findLast((key) => key.signsFromMs <= nowMs) ?? own[0]
}

/** The youngest key of a purpose, awaited or not. */
export function youngest(keys: readonly StoredKey[], purpose: KeyPurpose): StoredKey | undefined {
  return keys
    .filter((key) => key.purpose === purpose)
    .toSorted(byAge)
    .at(-1)
}

/** When the keys that `next` replaces stop verifying: after the longest life of the last thing they can have signed. */
export function replacedVerifiesUntilMs(next: StoredKey): number | undefined {
  const life = signedLifeMs[next.purpose]
  return life === undefined ? undefined : next.signsFromMs + handoverMs + life
}

function byAge(left: StoredKey, right: StoredKey): number {
  return left.signsFromMs - right.signsFromMs || (left.kid < right.kid ? -1 : 1)
}
