import { setTimeout as wait } from 'node:timers/promises'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import type { RushHeard } from '../load/rush-calls.ts'
import type { Stage } from '../stage/stage.ts'
import { check, type Check } from '../measure/turn.ts'

interface Told {
  readonly name: string
  readonly users: number
  readonly heard: RushHeard
}

/** So many requests of each user are enough to get somebody as far as a booking. */
const turnsToBook = 6

/** What must be so after a rush, by the crowd's own count, by Redis and by PostgreSQL. */
export async function checkRush(
  stage: Stage,
  sales: readonly string[],
  runs: readonly Told[],
): Promise<Check[]> {
  const booked = runs.flatMap(({ heard }) => heard.booked)
  const found = await allWritten(stage, sales, booked.length)
  const places = runs.reduce((sum, { heard }) => sum + heard.newPlaces, 0)
  return [
    ...runs.flatMap(ofRun),
    check(
      'bookings that were acknowledged and stand in PostgreSQL',
      booked.length,
      await standing(stage, booked),
    ),
    check('bookings in PostgreSQL that nobody was told of', 0, found.bookings - booked.length),
    check('places given twice', 0, found.bookings - found.places),
    check('slots with more bookings than places', 0, found.overfull),
    check('accounts with two bookings in one sale', 0, found.bookings - found.buyers),
    check('places in the lines, as they were numbered', places, await placesGiven(stage, sales)),
    check('accounts that were let in twice', 0, found.letInTwice),
  ]
}

function ofRun({ name, users, heard }: Told): Check[] {
  const { errors, errorExamples, sent, answered, pagesRead, pagesWrong, booked, newPlaces } = heard
  return [
    { name: `${name}: errors`, ok: errors === 0, detail: `${errors}: ${errorExamples.join(' | ')}` },
    check(`${name}: requests answered`, sent, answered),
    check(`${name}: pages that were not what was asked for`, 0, pagesWrong),
    // What does not happen at all could not go wrong either.
    { name: `${name}: pages were read`, ok: pagesRead > 0, detail: `${pagesRead} pages` },
    {
      name: `${name}: somebody joined and booked`,
      // Users who come for a few seconds do not get that far.
      ok: sent < users * turnsToBook || (newPlaces > 0 && booked.length > 0),
      detail: `${newPlaces} joined, ${booked.length} booked`,
    },
  ]
}

/** How many of the orders stand in PostgreSQL under the account that was told of them. */
async function standing({ sql }: Stage, booked: RushHeard['booked']): Promise<number> {
  const orders = booked.map(({ order }) => order)
  const accounts = booked.map(({ account }) => account)
  const [row] = await sql<{ count: number }[]>`
    select count(distinct orders.id)::int as count
    from unnest(${orders}::text[], ${accounts}::text[]) as told (id, account_id)
    join orders using (id, account_id)
    join bookings on bookings.order_id = orders.id
    where orders.status = 'booked' and bookings.status = 'booked'`
  return row?.count ?? 0
}

interface Found {
  readonly bookings: number
  readonly places: number
  readonly buyers: number
  readonly overfull: number
  readonly letInTwice: number
}

/** What was answered with 202 is written a little later: it gets some seconds. */
async function allWritten(stage: Stage, sales: readonly string[], booked: number): Promise<Found> {
  for (let looks = 1; ; looks++) {
    const found = await bookingsOf(stage, sales)
    if (found.bookings >= booked || looks === 100) return found
    await wait(100)
  }
}

async function bookingsOf({ sql }: Stage, sales: readonly string[]): Promise<Found> {
  const [row] = await sql<Found[]>`
    with standing as (
      select sale_id, unit_no, ordinal, account_id from bookings
      where sale_id = any(${[...sales]}) and status = 'booked'),
    per_slot as (
      select count(*) as booked, max(units.capacity) as capacity
      from standing join units using (sale_id, unit_no) group by sale_id, unit_no)
    select
      (select count(*) from standing)::int as bookings,
      (select count(*) from (select distinct sale_id, unit_no, ordinal from standing) as it)::int as places,
      (select count(*) from (select distinct sale_id, account_id from standing) as it)::int as buyers,
      (select count(*) from per_slot where booked > capacity)::int as overfull,
      (select count(*) from (
        select 1 from admissions where sale_id = any(${[...sales]})
        group by sale_id, account_id having count(*) > 1) as it)::int as "letInTwice"`
  if (row === undefined) throw new Error('PostgreSQL counted nothing')
  return row
}

/** How many places Redis has numbered in the lines. */
async function placesGiven({ redis }: Stage, sales: readonly string[]): Promise<number> {
  const numbers = await Promise.all(sales.map((sale) => redis.hget(saleKeys(sale).state, 'n')))
  return numbers.reduce((sum, number) => sum + Number(number ?? 0), 0)
}
