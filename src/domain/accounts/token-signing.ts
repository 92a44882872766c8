import { SignJWT, type JWTPayload } from 'jose'
import { signedLifeMs, type KeyPurpose } from './signing-key.ts'
import type { SigningKeys } from './signing-keys.ts'

export interface TokenKind {
  readonly purpose: KeyPurpose
  /** The `typ` of the header, which says what the token is for and is demanded on verifying. */
  readonly typ: string
}

/** Signs claims with the present key of the kind's purpose. `expiresAtMs` is cut to whole seconds. */
export async function signToken(
  keys: SigningKeys,
  kind: TokenKind,
  claims: JWTPayload,
  times: { readonly nowMs: number; readonly expiresAtMs: number },
): Promise<string> {
  const key = keys.signer(kind.purpose)
  if (key.kind !== 'pair') throw new Error(`The key for ${kind.purpose} cannot sign tokens`)
  const lifeMs = signedLifeMs[kind.purpose]
  if (lifeMs !== undefined && times.expiresAtMs - times.nowMs > lifeMs) {
    throw new RangeError(`A token for ${kind.purpose} must not outlive the key that verifies it`)
  }
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: kind.typ, kid: key.kid })
    .setIssuedAt(Math.floor(times.nowMs / 1000))
    .setExpirationTime(Math.floor(times.expiresAtMs / 1000))
    .sign(key.sign)
}
