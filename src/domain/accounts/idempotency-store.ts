import { Batcher, type Fate } from '../../db/batcher.ts'
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

/** A row can vanish between two statements, when its request fails; so look again, but not for ever. */
const looksMax = 3
const limits = { batchMax: 200, queueMax: 10_000, inFlightMax: 2 }

/**
 * Answers repeated requests from PostgreSQL, for 24 hours. What a crowd asks for together travels in one statement.
 *
 * A request that has run for more than 5 s is taken for dead and may be run again: what a request makes is named after
 * its key, so running it twice makes it once.
 */
export class PostgresIdempotencyStore {
  readonly #sql: Sql
  readonly #begun: Batcher<IdempotentRequest, IdempotencyStart>
  readonly #finished: Batcher<FinishedRequest, void>

  constructor(sql: Sql) {
    this.#sql = sql
    this.#begun = new Batcher<IdempotentRequest, IdempotencyStart>({
      ...limits,
      run: (all) => begin(sql, all),
    })
    this.#finished = new Batcher<FinishedRequest, void>({ ...limits, run: (all) => finish(sql, all) })
  }

  begin(request: IdempotentRequest): Promise<IdempotencyStart> {
    return this.#begun.add(request)
  }

  /** Keeps the answer, also when another request has given the row up meanwhile. */
  finish(request: IdempotentRequest, answer: { status: number; body: unknown }): Promise<void> {
    return this.#finished.add({ ...request, ...answer })
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
}

interface FinishedRequest extends IdempotentRequest {
  readonly status: number
  readonly body: unknown
}

type RowName = Pick<IdempotentRequest, 'callerId' | 'route' | 'key'>

async function begin(sql: Sql, requests: readonly IdempotentRequest[]): Promise<Fate<IdempotencyStart>[]> {
  const answers = new Map<IdempotentRequest, IdempotencyStart>()
  for (let look = 1; look <= looksMax && answers.size < requests.length; look++) {
    const open = requests.filter((request) => !answers.has(request))
    // The first of several with one key runs; the others find its row.
    const firsts = firstOfEach(open)
    const claimed = await claim(sql, firsts)
    for (const request of firsts) if (claimed.has(nameOf(request))) answers.set(request, { state: 'new' })
    const others = open.filter((request) => !answers.has(request))
    const rows = await find(sql, others)
    for (const request of others) {
      const row = rows.get(nameOf(request))
      if (row !== undefined) answers.set(request, answerFrom(row, request))
    }
  }
  return requests.map((request) => ({ ok: true, value: answers.get(request) ?? { state: 'running' } }))
}

/** Rows are written in the order of their key, by everybody, so that two batches never wait for each other. */
async function claim(sql: Sql, requests: readonly IdempotentRequest[]): Promise<ReadonlySet<string>> {
  const rows = await sql<RowName[]>`
    insert into idempotency_keys as kept (caller_id, route, key, fingerprint, state)
    select caller_id, route, key, fingerprint, 'running'
    from unnest(
      ${requests.map(({ callerId }) => callerId)}::text[], ${requests.map(({ route }) => route)}::text[],
      ${requests.map(({ key }) => key)}::text[], ${requests.map(({ fingerprint }) => fingerprint)}::text[]
    ) as new (caller_id, route, key, fingerprint)
    order by caller_id, route, key
    on conflict (caller_id, route, key) do update
      set fingerprint = excluded.fingerprint, state = 'running', status = null, body = null, started_at = now()
      where kept.started_at < now() - interval '24 hours'
        or (kept.state = 'running' and kept.fingerprint = excluded.fingerprint
          and kept.started_at < now() - interval '5 seconds')
    returning caller_id as "callerId", route, key`
  return new Set(rows.map(nameOf))
}

interface KeptRow extends RowName {
  readonly fingerprint: string
  readonly state: 'running' | 'done'
  readonly status: number | null
  readonly body: unknown
}

async function find(sql: Sql, names: readonly RowName[]): Promise<ReadonlyMap<string, KeptRow>> {
  if (names.length === 0) return new Map()
  const rows = await sql<KeptRow[]>`
    select caller_id as "callerId", route, key, fingerprint, state, status, body from idempotency_keys
    where (caller_id, route, key) in (
      select * from unnest(
        ${names.map(({ callerId }) => callerId)}::text[], ${names.map(({ route }) => route)}::text[],
        ${names.map(({ key }) => key)}::text[]))`
  return new Map(rows.map((row) => [nameOf(row), row]))
}

function answerFrom(row: KeptRow, request: IdempotentRequest): IdempotencyStart {
  if (row.fingerprint !== request.fingerprint) return { state: 'mismatch' }
  if (row.state === 'running' || row.status === null) return { state: 'running' }
  return { state: 'done', status: row.status, body: row.body ?? undefined }
}

async function finish(sql: Sql, all: readonly FinishedRequest[]): Promise<Fate<void>[]> {
  const requests = firstOfEach(all)
  await sql`
    insert into idempotency_keys as kept (caller_id, route, key, fingerprint, state, status, body)
    select caller_id, route, key, fingerprint, 'done', status, body::jsonb
    from unnest(
      ${requests.map(({ callerId }) => callerId)}::text[], ${requests.map(({ route }) => route)}::text[],
      ${requests.map(({ key }) => key)}::text[], ${requests.map(({ fingerprint }) => fingerprint)}::text[],
      ${requests.map(({ status }) => status)}::int[], ${requests.map(({ body }) => jsonOf(body))}::text[]
    ) as new (caller_id, route, key, fingerprint, status, body)
    order by caller_id, route, key
    on conflict (caller_id, route, key) do update
      set state = 'done', status = excluded.status, body = excluded.body
      where kept.state = 'running' and kept.fingerprint = excluded.fingerprint`
  return all.map(() => ({ ok: true, value: undefined }))
}

function jsonOf(body: unknown): string | null {
  return body === undefined ? null : JSON.stringify(body)
}

function firstOfEach<T extends RowName>(requests: readonly T[]): T[] {
  return [...new Map(requests.toReversed().map((request) => [nameOf(request), request])).values()]
}

function nameOf({ callerId, route, key }: RowName): string {
  return JSON.stringify([callerId, route, key])
}
