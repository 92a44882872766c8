import { errors, jwtVerify, type JWTPayload } from 'jose'
import type { Clock } from '../../clock.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { TokenKind } from './token-signing.ts'

export interface TokenVerifierOptions<Claims> {
  readonly keys: SigningKeys
  readonly clock: Clock
  readonly kind: TokenKind
  readonly issuer: string
  /** Takes what it needs from the payload; undefined when the payload is not of this kind. */
  readonly read: (payload: JWTPayload & { exp: number }) => Claims | undefined
  /** Verified tokens that are remembered; the oldest is forgotten first. */
  readonly cacheMax?: number
}

export type Verification<Claims> =
  | { readonly valid: true; readonly claims: Claims; readonly expiresAtMs: number }
  | { readonly valid: false; readonly because: 'invalid' | 'expired' }

type Verified<Claims> = Extract<Verification<Claims>, { valid: true }>

interface Remembered<Claims> {
  readonly token: string
  readonly verified: Verified<Claims>
}

/** Some 400 bytes a token; beyond that no honest token goes. */
const tokenLengthMax = 2048
const invalid = { valid: false, because: 'invalid' } as const
const expired = { valid: false, because: 'expired' } as const

/**
 * Checks tokens of one kind. A signature costs some 40 µs of a core, so a token is checked once and remembered until
 * it ends: whoever calls a hundred times pays for one. Only what was found good is remembered.
 */
export class TokenVerifier<Claims> {
  readonly #options: TokenVerifierOptions<Claims>
  readonly #cacheMax: number
  /** By the ends of the tokens: a text just read has to be hashed to be looked for, and a whole token is long. */
  readonly #remembered = new Map<string, Remembered<Claims>>()

  constructor(options: TokenVerifierOptions<Claims>) {
    this.#options = options
    this.#cacheMax = options.cacheMax ?? 50_000
  }

  get remembered(): number {
    return this.#remembered.size
  }

  /** What is remembered of a token, without a look at its signature. */
  recall(token: string): Verification<Claims> | undefined {
    const known = this.#remembered.get(endOf(token))
    if (known === undefined || known.token !== token) return undefined
    if (this.#options.clock.nowMs() < known.verified.expiresAtMs) return known.verified
    this.#remembered.delete(endOf(token))
    return expired
  }

  /** A token that was signed here: what it says is known, and its signature need not be checked. */
  know(token: string, known: { claims: Claims; expiresAtMs: number }): void {
    this.#remember(token, { valid: true, ...known })
  }

  /** Rejects only when the keys cannot be read. */
  async verify(token: string): Promise<Verification<Claims>> {
    return this.recall(token) ?? (await this.#check(token))
  }

  async #check(token: string): Promise<Verification<Claims>> {
    if (token.length > tokenLengthMax) return invalid
    const { keys, kind, issuer, clock, read } = this.#options
    try {
      const { payload } = await jwtVerify(
        token,
        async (header) => {
          const key = await keys.findVerifier(kind.purpose, header.kid)
          if (key?.kind !== 'pair') throw new errors.JWSInvalid('unknown key')
          return key.verify
        },
        {
          algorithms: ['ES256'],
          typ: kind.typ,
          issuer,
          requiredClaims: ['iat', 'exp'],
          currentDate: new Date(clock.nowMs()),
        },
      )
      const claims = payload.exp === undefined ? undefined : read({ ...payload, exp: payload.exp })
      if (claims === undefined || payload.exp === undefined) return invalid
      return this.#remember(token, { valid: true, claims, expiresAtMs: payload.exp * 1000 })
    } catch (error) {
      if (error instanceof errors.JWTExpired) return expired
      if (error instanceof errors.JOSEError || error instanceof TypeError) return invalid
      throw error
    }
  }

  #remember(token: string, verified: Verified<Claims>): Verified<Claims> {
    if (this.#remembered.size >= this.#cacheMax) {
      const oldest = this.#remembered.keys().next()
      if (oldest.done !== true) this.#remembered.delete(oldest.value)
    }
    this.#remembered.set(endOf(token), { token, verified })
    return verified
  }
}

/** A part of the signature: enough that no two tokens have the same one. */
function endOf(token: string): string {
  return token.slice(-32)
}
