import type { Clock } from '../../clock.ts'
import { generalErrors, Problem } from '../../errors.ts'
import type { AccountKind } from './account.ts'
import { signToken } from './token-signing.ts'
import { TokenVerifier } from './token-verifying.ts'
import type { SigningKeys } from './signing-keys.ts'

export interface AccessTokenOptions {
  readonly keys: SigningKeys
  readonly clock: Clock
  /** The `iss` of every token: the installation's public name. */
  readonly issuer: string
  readonly cacheMax?: number
}

export interface AccessClaims {
  readonly accountId: string
  readonly accountKind: AccountKind
}

export interface IssuedToken {
  readonly token: string
  readonly expiresAtMs: number
}

export const accessTokenLifeMs = 12 * 3_600_000

const kind = { purpose: 'access', typ: 'at+jwt' } as const

/** What an account shows to be let in: `{iss, sub, scope, iat, exp}`. */
export class AccessTokens {
  readonly #options: AccessTokenOptions
  readonly #verifier: TokenVerifier<AccessClaims>

  constructor(options: AccessTokenOptions) {
    this.#options = options
    this.#verifier = new TokenVerifier({
      ...options,
      kind,
      read: ({ sub, scope }) =>
        sub !== undefined && (scope === 'guest' || scope === 'verified')
          ? { accountId: sub, accountKind: scope }
          : undefined,
    })
  }

  async issue(claims: AccessClaims): Promise<IssuedToken> {
    const { keys, clock, issuer } = this.#options
    const nowMs = clock.nowMs()
    const expiresAtMs = Math.floor((nowMs + accessTokenLifeMs) / 1000) * 1000
    const payload = { iss: issuer, sub: claims.accountId, scope: claims.accountKind }
    const token = await signToken(keys, kind, payload, { nowMs, expiresAtMs })
    // Whoever gets it here mostly comes back here with it, and often so does a crowd within one second.
    this.#verifier.know(token, { claims, expiresAtMs })
    return { token, expiresAtMs }
  }

  /** The claims of a token met before, without waiting. */
  recall(token: string): AccessClaims | undefined {
    const known = this.#verifier.recall(token)
    return known?.valid === true ? known.claims : undefined
  }

  /** Throws `unauthenticated`. */
  async verify(token: string): Promise<AccessClaims> {
    const verification = await this.#verifier.verify(token)
    if (verification.valid) return verification.claims
    const detail =
      verification.because === 'expired' ? 'The access token has ended.' : 'This is no access token.'
    throw new Problem(generalErrors.unauthenticated, { detail })
  }
}
