import type { Clock } from '../../clock.ts'
import { Problem } from '../../errors.ts'
import { RecentMap } from '../sales/recent-map.ts'
import type { IssuedToken } from './access-token.ts'
import type { SigningKeys } from './signing-keys.ts'
import { tokenErrors } from './token-errors.ts'
import { signToken } from './token-signing.ts'
import { TokenVerifier } from './token-verifying.ts'

export interface PurchaseTokenOptions {
  readonly keys: SigningKeys
  readonly clock: Clock
  readonly issuer: string
  readonly cacheMax?: number
}

export interface PurchaseClaims {
  readonly saleId: string
  readonly accountId: string
  /** The admission that the token speaks for; the token is worth nothing once that is closed. */
  readonly jti: string
}

const kind = { purpose: 'purchase', typ: 'purchase+jwt' } as const

/** What somebody shows who was let in to buy: `{iss, aud: sale, sub: account, jti, iat, exp}`. */
export class PurchaseTokens {
  readonly #options: PurchaseTokenOptions
  readonly #verifier: TokenVerifier<PurchaseClaims>
  /** By what they say: whoever asks again where they stand gets the token they were given. */
  readonly #issued: RecentMap<Promise<IssuedToken>>

  constructor(options: PurchaseTokenOptions) {
    this.#options = options
    this.#issued = new RecentMap({ weightMax: options.cacheMax ?? 50_000, weigh: () => 1 })
    this.#verifier = new TokenVerifier({
      ...options,
      kind,
      read: ({ aud, sub, jti }) =>
        typeof aud === 'string' && sub !== undefined && jti !== undefined
          ? { saleId: aud, accountId: sub, jti }
          : undefined,
    })
  }

  /** `expiresAtMs` is the admission's end, at most 24 hours away; the token ends with the second it falls in. */
  async issue(claims: PurchaseClaims & { readonly expiresAtMs: number }): Promise<IssuedToken> {
    const { saleId, accountId, jti } = claims
    const expiresAtMs = Math.ceil(claims.expiresAtMs / 1000) * 1000
    const name = JSON.stringify([saleId, accountId, jti, expiresAtMs])
    const known = this.#issued.get(name)
    if (known !== undefined) return await known
    const issuing = this.#sign({ saleId, accountId, jti }, expiresAtMs)
    this.#issued.set(name, issuing)
    issuing.catch(() => this.#issued.delete(name))
    return await issuing
  }

  /**
   * The claims of a token that was signed here for this account in this sale and has not ended. Whether its admission
   * is still open is for the caller to ask. Throws `purchase_token_invalid`, `…_expired` or `…_foreign`.
   */
  async verify(
    token: string,
    expected: { readonly saleId: string; readonly accountId: string },
  ): Promise<PurchaseClaims> {
    const verification = await this.#verifier.verify(token)
    if (!verification.valid) {
      const { purchase_token_expired, purchase_token_invalid } = tokenErrors
      throw new Problem(verification.because === 'expired' ? purchase_token_expired : purchase_token_invalid)
    }
    const { claims } = verification
    if (claims.saleId !== expected.saleId || claims.accountId !== expected.accountId) {
      throw new Problem(tokenErrors.purchase_token_foreign)
    }
    return claims
  }

  async #sign(claims: PurchaseClaims, expiresAtMs: number): Promise<IssuedToken> {
    const { keys, clock, issuer } = this.#options
    const payload = { iss: issuer, aud: claims.saleId, sub: claims.accountId, jti: claims.jti }
    const token = await signToken(keys, kind, payload, { nowMs: clock.nowMs(), expiresAtMs })
    this.#verifier.know(token, { claims, expiresAtMs })
    return { token, expiresAtMs }
  }
}
