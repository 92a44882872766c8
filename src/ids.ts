import { hash } from 'node:crypto'
import { customAlphabet } from 'nanoid'

/** What an id names; the prefix of every public id. */
export type IdKind =
  | 'sal'
  | 'usr'
  | 'org'
  | 'hol'
  | 'ord'
  | 'bkg'
  | 'pay'
  | 'key'
  | 'prc'
  | 'ent'
  | 'sto'
  | 'pic'
  | 'cme'
  | 'msg'

const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz'
const tail = customAlphabet(alphabet, 20)

/** Makes public ids: `<kind>_<20 characters>`, some 103 random bits. Injected, so tests can foresee them. */
export interface Ids {
  next(kind: IdKind): string
}

export const randomIds: Ids = { next: (kind) => `${kind}_${tail()}` }

/** The id that the same words always give: a repeated request names the same thing. */
export function idFrom(kind: IdKind, ...words: readonly string[]): string {
  const digest = hash('sha256', JSON.stringify(words), 'hex')
  // 13 bytes: as many as 20 characters of the alphabet hold.
  const number = BigInt(`0x${digest.slice(0, 26)}`)
  return `${kind}_${number.toString(36).padStart(20, '0').slice(-20)}`
}
