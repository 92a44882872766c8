import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'
import type { Clock } from '../../clock.ts'
import { levelOfFailure } from '../../db/store-away.ts'
import { generalErrors, Problem } from '../../errors.ts'
import type { Ids } from '../../ids.ts'
import type { Log } from '../../log.ts'
import type { Service } from '../../service.ts'
import type { KeyChange, SigningKeyStore } from './signing-key-store.ts'
import {
  keyAwaitedMs,
  keyPurposes,
  keyReloadMs,
  replacedVerifiesUntilMs,
  signingAt,
  verifies,
  youngest,
  type KeyPurpose,
  type StoredKey,
} from './signing-key.ts'

export interface SigningKeysOptions {
  readonly store: SigningKeyStore
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
}

/** A key ready for use. `sign` is what makes signatures, `verify` what checks them. */
export type UsableKey =
  | { readonly kid: string; readonly kind: 'pair'; readonly sign: CryptoKey; readonly verify: CryptoKey }
  | { readonly kid: string; readonly kind: 'secret'; readonly secret: Uint8Array }

const reloadsApartMs = 1000
const kidShape = /^key_[0-9a-z]{20}$/

/**
 * The keys of this installation, kept in PostgreSQL and shared by all its processes. `run` makes those that are
 * missing; until then nothing can be signed. Signing and verifying look only into memory.
 */
export class SigningKeys implements Service {
  readonly name = 'signing keys'
  readonly #options: SigningKeysOptions
  readonly #stopping = new AbortController()
  #stored: readonly StoredKey[] = []
  #usable = new Map<string, UsableKey>()
  #reloading: Promise<void> | undefined
  #reloadedAtMs = Number.NEGATIVE_INFINITY
  #watch: Promise<void> | undefined

  constructor(options: SigningKeysOptions) {
    this.#options = options
  }

  async run(): Promise<void> {
    await this.#options.store.change((keys) => this.#missing(keys))
    await this.reload()
    this.#watch = this.#reloadForEver()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#watch
  }

  /** The key that signs now. */
  signer(purpose: KeyPurpose): UsableKey {
    const key = signingAt(this.#stored, purpose, this.#options.clock.nowMs())
    const usable = key && this.#usable.get(key.kid)
    if (usable === undefined) throw new Problem(generalErrors.unavailable, { retryAfterSeconds: 1 })
    return usable
  }

  /** The key of this name if it may still verify for this purpose. */
  verifier(purpose: KeyPurpose, kid: string): UsableKey | undefined {
    const key = this.#stored.find((candidate) => candidate.kid === kid)
    if (key?.purpose !== purpose || !verifies(key, this.#options.clock.nowMs())) return undefined
    return this.#usable.get(kid)
  }

  /** The same, but a name not met before is looked for in the store, at most once a second for all who ask. */
  async findVerifier(purpose: KeyPurpose, kid: unknown): Promise<UsableKey | undefined> {
    if (typeof kid !== 'string' || !kidShape.test(kid)) return undefined
    if (!this.#stored.some((key) => key.kid === kid)) await this.#reloadBecauseUnknown()
    return this.verifier(purpose, kid)
  }

  /** The public halves, as a JSON Web Key Set. */
  jwks(): { keys: JWK[] } {
    const nowMs = this.#options.clock.nowMs()
    return {
      keys: this.#stored.flatMap((key) => (key.publicJwk && verifies(key, nowMs) ? [key.publicJwk] : [])),
    }
  }

  /** Makes a new key that signs after a moment; what the old ones signed stays valid until its own end. */
  rotate(purpose: KeyPurpose): Promise<void> {
    return this.#changeAndReload(async () => [purpose])
  }

  /** Rotates the keys that are older than this, once, however many processes ask together, and forgets dead ones. */
  rotateOld(ageDaysMax: number): Promise<void> {
    return this.#changeAndReload(async (keys) => {
      const oldestMs = this.#options.clock.nowMs() - ageDaysMax * 86_400_000
      return keyPurposes.filter((purpose) => (youngest(keys, purpose)?.signsFromMs ?? 0) <= oldestMs)
    })
  }

  async reload(): Promise<void> {
    const keys = await this.#options.store.load()
    const usable = new Map<string, UsableKey>()
    for (const key of keys) usable.set(key.kid, this.#usable.get(key.kid) ?? (await importKey(key)))
    this.#stored = keys
    this.#usable = usable
  }

  async #changeAndReload(which: (keys: readonly StoredKey[]) => Promise<KeyPurpose[]>): Promise<void> {
    await this.#options.store.change(async (keys) => this.#replacement(keys, await which(keys)))
    await this.reload()
  }

  async #missing(keys: readonly StoredKey[]): Promise<KeyChange> {
    const missing = keyPurposes.filter((purpose) => youngest(keys, purpose) === undefined)
    const nowMs = this.#options.clock.nowMs()
    const add = await Promise.all(missing.map((purpose) => this.#newKey(purpose, nowMs)))
    return { add, end: [], remove: [] }
  }

  async #replacement(keys: readonly StoredKey[], purposes: readonly KeyPurpose[]): Promise<KeyChange> {
    const nowMs = this.#options.clock.nowMs()
    const add = await Promise.all(purposes.map((purpose) => this.#newKey(purpose, nowMs + keyAwaitedMs)))
    const end = add.flatMap((next) => {
      const verifiesUntilMs = replacedVerifiesUntilMs(next)
      if (verifiesUntilMs === undefined) return []
      return keys
        .filter((key) => key.purpose === next.purpose && key.verifiesUntilMs === undefined)
        .map(({ kid }) => ({ kid, verifiesUntilMs }))
    })
    return { add, end, remove: keys.filter((key) => !verifies(key, nowMs)).map(({ kid }) => kid) }
  }

  async #newKey(purpose: KeyPurpose, signsFromMs: number): Promise<StoredKey> {
    const kid = this.#options.ids.next('key')
    const base = { kid, purpose, signsFromMs, verifiesUntilMs: undefined }
    if (purpose === 'queue') {
      const k = randomBytes(32).toString('base64url')
      return { ...base, privateJwk: { kty: 'oct', k, kid }, publicJwk: undefined }
    }
    const pair = await generateKeyPair('ES256', { extractable: true })
    const described = { kid, alg: 'ES256', use: 'sig' }
    return {
      ...base,
      privateJwk: { ...(await exportJWK(pair.privateKey)), ...described },
      publicJwk: { ...(await exportJWK(pair.publicKey)), ...described },
    }
  }

  /** All who ask share one reading. Nobody with a good token is turned away because another has just asked. */
  #reloadBecauseUnknown(): Promise<void> {
    this.#reloading ??= this.#reloadApart().finally(() => (this.#reloading = undefined))
    return this.#reloading
  }

  async #reloadApart(): Promise<void> {
    const { clock } = this.#options
    const waitMs = this.#reloadedAtMs + reloadsApartMs - clock.nowMs()
    if (waitMs > 0) await clock.wait(waitMs, this.#stopping.signal)
    this.#reloadedAtMs = clock.nowMs()
    try {
      await this.reload()
    } catch (cause) {
      throw new Problem(generalErrors.unavailable, { retryAfterSeconds: 1, cause })
    }
  }

  async #reloadForEver(): Promise<void> {
    const { clock, log } = this.#options
    const { signal } = this.#stopping
    for (;;) {
      await clock.wait(keyReloadMs, signal)
      if (signal.aborted) return
      await this.reload().catch((error: unknown) =>
        log[levelOfFailure(error)]({ err: error }, 'signing keys could not be read again'),
      )
    }
  }
}

async function importKey(key: StoredKey): Promise<UsableKey> {
  const { kid } = key
  if (key.publicJwk === undefined) {
    return { kid, kind: 'secret', secret: Buffer.from(key.privateJwk.k ?? '', 'base64url') }
  }
  const [sign, verify] = await Promise.all([
    importJWK(key.privateJwk, 'ES256'),
    importJWK(key.publicJwk, 'ES256'),
  ])
  if (sign instanceof Uint8Array || verify instanceof Uint8Array)
    throw new Error(`Key ${kid} is no ES256 pair`)
  return { kid, kind: 'pair', sign, verify }
}
