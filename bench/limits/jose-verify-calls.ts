import type { JSONWebKeySet } from 'jose'

/** What the verifier can be asked. */
export type JoseVerifyCalls = {
  /** @param jwks the keys that sign the access tokens */
  know: { asked: { jwks: JSONWebKeySet; issuer: string }; answer: undefined }
  /** Verifies each token once, until the time is up or none are left. */
  verify: { asked: { tokens: readonly string[]; seconds: number }; answer: VerifiedTokens }
}

export interface VerifiedTokens {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly done: number
  /** Of them, those that named an account. */
  readonly accounts: number
}
