import { generalErrors, Problem } from '../../errors.ts'
import type { AccessClaims, AccessTokens } from './access-token.ts'
import type { AccountKind } from './account.ts'
import { organiserKeyPrefix, type OrganiserKeys } from './organiser-key.ts'

/** Who calls. */
export type AuthenticatedCaller =
  | { readonly kind: 'account'; readonly accountId: string; readonly accountKind: AccountKind }
  | { readonly kind: 'organiser'; readonly organiserId: string }

/** Turns what stands behind `Bearer` into a caller. Other ways to log in add their own branch here. */
export class Authenticator {
  readonly #accessTokens: AccessTokens
  readonly #organiserKeys: OrganiserKeys

  constructor(parts: { readonly accessTokens: AccessTokens; readonly organiserKeys: OrganiserKeys }) {
    this.#accessTokens = parts.accessTokens
    this.#organiserKeys = parts.organiserKeys
  }

  /** Answers at once for a token met before. Throws or rejects with `unauthenticated`. */
  authenticate(bearer: string): AuthenticatedCaller | Promise<AuthenticatedCaller> {
    if (bearer.startsWith(organiserKeyPrefix)) return this.#organiser(bearer)
    const known = this.#accessTokens.recall(bearer)
    return known === undefined ? this.#accessTokens.verify(bearer).then(accountCaller) : accountCaller(known)
  }

  async #organiser(key: string): Promise<AuthenticatedCaller> {
    const organiserId = await this.#organiserKeys.verify(key)
    if (organiserId !== undefined) return { kind: 'organiser', organiserId }
    throw new Problem(generalErrors.unauthenticated, { detail: 'This organiser key is unknown or revoked.' })
  }
}

function accountCaller({ accountId, accountKind }: AccessClaims): AuthenticatedCaller {
  return { kind: 'account', accountId, accountKind }
}
