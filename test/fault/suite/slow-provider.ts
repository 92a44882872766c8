import { setTimeout as wait } from 'node:timers/promises'
import { judgeMoney } from './ledger.ts'
import type { Breach } from './promises.ts'
import type { World } from './world.ts'

export const lateAnswers = 'the payment provider answers after minutes'

/** A charge that was put off is entered this much later, at the earliest: three claims after everybody has hung up. */
const lateMs = 45_000
const settlingMs = 90_000
const patienceMs = 60_000
const lookEveryMs = 500

/**
 * A provider that takes charges and has nothing to say of them for minutes: its books know of none, and whoever asks again
 * is put off again, by whichever process. What was put off lies in a table beside the books, so that no kill takes it.
 */
export async function answersLate(world: World, ms: number): Promise<void> {
  // Where PostgreSQL is killed at the same time, a little later.
  for (const untilMs = Date.now() + settlingMs; ; await wait(lookEveryMs)) {
    const begun = await world.sql.unsafe(slownessFrom(ms)).catch((error: unknown) => {
      if (Date.now() > untilMs) throw error
    })
    if (begun !== undefined) break
  }
  await wait(ms)
  // Where nobody paid meanwhile, for as long as it takes until somebody does.
  for (const untilMs = Date.now() + patienceMs; Date.now() < untilMs; await wait(lookEveryMs)) {
    const rows = await world.sql`select from put_off_charges limit 1`.catch(() => [])
    if (rows.length > 0) return
    await world.sql`update slowness set until = clock_timestamp() + interval '2 seconds'`.catch(() => [])
  }
}

const slownessFrom = (ms: number): string => `
    create table if not exists put_off_charges (
      like sandbox_charges including defaults, put_off_at timestamptz not null default clock_timestamp(),
      primary key (charge_key));
    create or replace function put_off_charge() returns trigger language plpgsql as $$ begin
      -- Once put off, put off until the end.
      if not exists (select from put_off_charges where charge_key = new.charge_key)
        and clock_timestamp() > (select until from slowness) then return new; end if;
      insert into put_off_charges (charge_key, order_id, amount_minor, outcome)
        values (new.charge_key, new.order_id, new.amount_minor, new.outcome) on conflict do nothing;
      return null;
    end $$;
    create table if not exists slowness (until timestamptz not null);
    truncate slowness;
    insert into slowness values (clock_timestamp() + interval '${ms} ms');
    create or replace trigger put_off before insert on sandbox_charges for each row
      when (current_setting('application_name') like 'openrun%') execute function put_off_charge()`

/**
 * Waits for what was put off to be late enough, enters it into the books, and judges the money of these sales once it has
 * been heard of.
 * @returns how many charges were put off, and what is wrong; nothing where the provider was quick
 */
export async function judgePutOff(
  world: World,
): Promise<{ charges: number; breaches: readonly Breach[] } | undefined> {
  const { sql } = world
  const [table] = await sql<{ name: string | null }[]>`select to_regclass('put_off_charges')::text as name`
  if (typeof table?.name !== 'string') return undefined
  const [late] = await sql<{ charges: number; waitMs: number }[]>`
    select count(*)::int as charges,
      coalesce(greatest(0, ${lateMs} - extract(epoch from clock_timestamp() - max(put_off_at)) * 1000), 0)::float8 as "waitMs"
    from put_off_charges`
  await wait(late?.waitMs ?? 0)
  await sql`
    insert into sandbox_charges (charge_key, order_id, amount_minor, outcome)
    select charge_key, order_id, amount_minor, outcome from put_off_charges on conflict do nothing`
  // By now they are asked for once a minute.
  await sql`update payments set next_at = clock_timestamp() where state = 'unknown'`
  const sales = await sql<{ id: string }[]>`
    select distinct sale_id as id from orders join put_off_charges on order_id = orders.id`
  const ids = sales.map(({ id }) => id)
  for (const untilMs = Date.now() + settlingMs; ; await wait(lookEveryMs)) {
    const breaches = [...(await unheard(world)), ...(await judgeMoney(world, ids))]
    if (breaches.length === 0 || Date.now() > untilMs) return { charges: late?.charges ?? 0, breaches }
  }
}

/** An answer that comes after minutes is an answer: nothing may be paying for ever. */
async function unheard({ sql }: World): Promise<Breach[]> {
  const rows = await sql<{ order: string; status: string }[]>`
    select o.id as order, o.status from orders o join put_off_charges p on p.order_id = o.id
    where o.status in ('pending', 'paying')`
  return rows.map(({ order, status }) => ({
    promise: 5,
    what: `${order} is ${status}, and its payment was answered after minutes`,
  }))
}
