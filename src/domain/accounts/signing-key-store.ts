import type { JWK } from 'jose'
import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import type { KeyPurpose, StoredKey } from './signing-key.ts'

export interface KeyChange {
  readonly add: readonly StoredKey[]
  /** Keys that get an end they did not have. */
  readonly end: readonly { readonly kid: string; readonly verifiesUntilMs: number }[]
  readonly remove: readonly string[]
}

export interface SigningKeyStore {
  load(): Promise<StoredKey[]>
  /** Decides upon the keys that stand while no other process can change them. `decide` may run more than once. */
  change(decide: (keys: readonly StoredKey[]) => Promise<KeyChange>): Promise<void>
}

/** Held while the keys are changed, so that of processes starting together only one makes what is missing. */
const lockKey = 7_236_418_502

export class PostgresSigningKeyStore implements SigningKeyStore {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  load(): Promise<StoredKey[]> {
    return readKeys(this.#sql)
  }

  async change(decide: (keys: readonly StoredKey[]) => Promise<KeyChange>): Promise<void> {
    await transaction(this.#sql, async (tx) => {
      await tx`select pg_advisory_xact_lock(${lockKey})`
      const { add, end, remove } = await decide(await readKeys(tx))
      for (const key of add) await insertKey(tx, key)
      for (const { kid, verifiesUntilMs } of end) {
        await tx`
          update signing_keys set verifies_until = ${new Date(verifiesUntilMs)}
          where kid = ${kid} and verifies_until is null`
      }
      if (remove.length > 0) await tx`delete from signing_keys where kid = any(${[...remove]})`
    })
  }
}

interface KeyRow {
  kid: string
  purpose: KeyPurpose
  privateJwk: JWK
  publicJwk: JWK | null
  signsFrom: Date
  verifiesUntil: Date | null
}

async function readKeys(sql: Sql | TransactionSql): Promise<StoredKey[]> {
  const rows = await sql<KeyRow[]>`
    select kid, purpose, private_jwk as "privateJwk", public_jwk as "publicJwk",
      created_at as "signsFrom", verifies_until as "verifiesUntil"
    from signing_keys`
  return rows.map(({ kid, purpose, privateJwk, publicJwk, signsFrom, verifiesUntil }) => ({
    kid,
    purpose,
    privateJwk,
    publicJwk: publicJwk ?? undefined,
    signsFromMs: signsFrom.getTime(),
    verifiesUntilMs: verifiesUntil?.getTime(),
  }))
}

async function insertKey(tx: TransactionSql, key: StoredKey): Promise<void> {
  const publicJwk = key.publicJwk === undefined ? null : JSON.stringify(key.publicJwk)
  await tx`
    insert into signing_keys (kid, purpose, private_jwk, public_jwk, created_at, verifies_until)
    values (${key.kid}, ${key.purpose}, ${JSON.stringify(key.privateJwk)}::text::jsonb, ${publicJwk}::text::jsonb,
      ${new Date(key.signsFromMs)}, ${key.verifiesUntilMs === undefined ? null : new Date(key.verifiesUntilMs)})`
}
