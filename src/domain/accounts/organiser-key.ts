import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import type { Ids } from '../../ids.ts'

export const organiserKeyPrefix = 'orgkey_'

const keyShape = /^orgkey_[\w-]{43}$/
/** Held while the first organiser is made. */
const lockKey = 7_236_418_503

/**
 * Makes the first organiser of an empty installation and answers its key: the only time the key can be read, so show
 * it. Undefined when there is an organiser already, also when another process made it a moment ago.
 */
export async function ensureFirstOrganiser(
  sql: Sql,
  ids: Ids,
): Promise<{ key: string; organiserId: string } | undefined> {
  return transaction(sql, async (tx) => {
    await tx`select pg_advisory_xact_lock(${lockKey})`
    const [first] = await tx<{ id: string }[]>`select id from organisers limit 1`
    if (first !== undefined) return undefined
    const organiserId = ids.next('org')
    await tx`insert into organisers (id, name) values (${organiserId}, 'First organiser')`
    return { key: await addOrganiserKey(tx, organiserId), organiserId }
  })
}

/** The organiser that the first start made. */
export async function firstOrganiser(sql: Sql): Promise<string | undefined> {
  const [first] = await sql<{ id: string }[]>`select id from organisers order by created_at, id limit 1`
  return first?.id
}

/** Gives an organiser one more key and answers it. */
export async function addOrganiserKey(sql: Sql | TransactionSql, organiserId: string): Promise<string> {
  const key = organiserKeyPrefix + randomBytes(32).toString('base64url')
  await sql`insert into organiser_keys (hash, organiser_id) values (${hashOf(key)}, ${organiserId})`
  return key
}

interface Known {
  readonly organiserId: string
  readonly untilMs: number
}

/** A revoked key works this long at the most. */
const knownForMs = 10_000
const knownMax = 1000

/** Tells to whom an organiser's key belongs. Keys found good are remembered for a few seconds. */
export class OrganiserKeys {
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #known = new Map<string, Known>()

  constructor(sql: Sql, clock: Clock) {
    this.#sql = sql
    this.#clock = clock
  }

  /** The organiser's id; undefined for a key that is unknown, revoked or not of this shape. */
  async verify(key: string): Promise<string | undefined> {
    if (!keyShape.test(key)) return undefined
    const hash = hashOf(key)
    const known = this.#known.get(hash)
    if (known !== undefined && this.#clock.nowMs() < known.untilMs) return known.organiserId
    this.#known.delete(hash)
    const [row] = await this.#sql<{ organiserId: string }[]>`
      select organiser_id as "organiserId" from organiser_keys where hash = ${hash} and revoked_at is null`
    if (row === undefined) return undefined
    if (this.#known.size >= knownMax) this.#known.clear()
    this.#known.set(hash, { organiserId: row.organiserId, untilMs: this.#clock.nowMs() + knownForMs })
    return row.organiserId
  }
}

/** The key is 256 random bits, so a plain digest cannot be turned back and needs no salt. */
function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
