import type { Sql } from '../../db/postgres.ts'

/** A caller's request, by the key the caller gave it. */
export interface IdempotentRequest {
  readonly callerId: string
  readonly route: string
  readonly key: string
  /** A digest of the body: the same key with another body is a mistake. */
  readonly fingerprint: string
}

export type IdempotencyStart =
  | { readonly state: 'new' }
  | { readonly state: 'done'; readonly status: number; readonly body: unknown }
  | { readonly state: 'running' }
  | { readonly state: 'mismatch' }

/**
 * Answers repeated requests in PostgreSQL, kept for 24 hours.
 *
 * A request that has run for more than 5 s is taken for dead and may be run again: what a request makes is named after
 * its key, so running it twice makes it once.
 */
export class PostgresIdempotencyStore {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  async begin(request: IdempotentRequest): Promise<IdempotencyStart> {
    // The row can vanish between the two statements when its request fails, so look again; once is the rule.
    for (let attempt = 1; attempt <= 3; attempt++) {
      if (await this.#claim(request)) return { state: 'new' }
      const found = await this.#find(request)
      if (found !== undefined) return found
    }
    return { state: 'running' }
  }

  /** Keeps the answer, also when another request has given the row up meanwhile. */
  async finish(request: IdempotentRequest, answer: { status: number; body: unknown }): Promise<void> {
    const { callerId, route, key, fingerprint } = request
    const body = answer.body === undefined ? null : JSON.stringify(answer.body)
    await this.#sql`
      insert into idempotency_keys as kept (caller_id, route, key, fingerprint, state, status, body)
      values (${callerId}, ${route}, ${key}, ${fingerprint}, 'done', ${answer.status}, ${body}::text::jsonb)
      on conflict (caller_id, route, key) do update
        set state = 'done', status = excluded.status, body = excluded.body
        where kept.state = 'running' and kept.fingerprint = excluded.fingerprint`
  }

  /** Forgets a request that failed, so that it may be tried again. */
  async abandon(request: IdempotentRequest): Promise<void> {
    const { callerId, route, key, fingerprint } = request
    await this.#sql`
      delete from idempotency_keys
      where caller_id = ${callerId} and route = ${route} and key = ${key}
        and fingerprint = ${fingerprint} and state = 'running'`
  }

  /** Deletes what is older than 24 hours, a bounded number at a time; answers how many rows went. */
  async forgetOld(limit = 10_000): Promise<number> {
    const gone = await this.#sql`
      delete from idempotency_keys
      where ctid = any(array(
        select ctid from idempotency_keys
        where started_at < now() - interval '24 hours' limit ${limit} for update skip locked))`
    return gone.count
  }

  async #claim({ callerId, route, key, fingerprint }: IdempotentRequest): Promise<boolean> {
    const claimed = await this.#sql`
      insert into idempotency_keys as kept (caller_id, route, key, fingerprint, state)
      values (${callerId}, ${route}, ${key}, ${fingerprint}, 'running')
      on conflict (caller_id, route, key) do update
        set fingerprint = excluded.fingerprint, state = 'running', status = null, body = null, started_at = now()
        where kept.started_at < now() - interval '24 hours'
          or (kept.state = 'running' and kept.fingerprint = excluded.fingerprint
            and kept.started_at < now() - interval '5 seconds')`
    return claimed.count === 1
  }

  async #find(request: IdempotentRequest): Promise<IdempotencyStart | undefined> {
    const [row] = await this.#sql<
      { fingerprint: string; state: 'running' | 'done'; status: number | null; body: unknown }[]
    >`
      select fingerprint, state, status, body from idempotency_keys
      where caller_id = ${request.callerId} and route = ${request.route} and key = ${request.key}`
    if (row === undefined) return undefined
    if (row.fingerprint !== request.fingerprint) return { state: 'mismatch' }
    if (row.state === 'running' || row.status === null) return { state: 'running' }
    return { state: 'done', status: row.status, body: row.body ?? undefined }
  }
}
