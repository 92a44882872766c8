import type { Sql } from '../../db/postgres.ts'

export type Role = 'edge' | 'admission' | 'payments' | 'worker'

/** A process that was heard of lately. */
export interface KnownProcess {
  readonly id: string
  readonly roles: readonly Role[]
  /** Heard of within the last three seconds. */
  readonly alive: boolean
  readonly startedAtMs: number
}

/** After so many seconds of silence a process is taken for dead. */
export const silentSeconds = 3

/** Says that this process lives. Called once a second. */
export async function beat(sql: Sql, process: { id: string; roles: readonly Role[] }): Promise<void> {
  await sql`
    insert into processes (id, roles) values (${process.id}, ${[...process.roles]})
    on conflict (id) do update set seen_at = clock_timestamp()`
}

/** Says whether this process is one of those that may write to sales. */
export async function setWrites(sql: Sql, id: string, writes: boolean): Promise<void> {
  await sql`
    update processes set roles = case when ${writes} then array_append(array_remove(roles, 'admission'), 'admission')
      else array_remove(roles, 'admission') end
    where id = ${id}`
}

/** Says that this process ends as it should: nobody waits for it. */
export async function sayGoodbye(sql: Sql, id: string): Promise<void> {
  await sql`delete from processes where id = ${id} or seen_at < clock_timestamp() - interval '1 hour'`
}

/** Processes heard of within the last half minute. One that is not alive went without a goodbye. */
export async function knownProcesses(sql: Sql): Promise<KnownProcess[]> {
  const rows = await sql<{ id: string; roles: Role[]; alive: boolean; startedAt: Date }[]>`
    select id, roles, seen_at > clock_timestamp() - ${silentSeconds} * interval '1 second' as alive, started_at as "startedAt"
    from processes where seen_at > clock_timestamp() - interval '30 seconds'`
  return rows.map(({ id, roles, alive, startedAt }) => ({
    id,
    roles,
    alive,
    startedAtMs: startedAt.getTime(),
  }))
}
