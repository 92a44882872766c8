import type { PendingQuery, Row } from 'postgres'
import type { Sql } from '../../db/postgres.ts'
import type { PageCursor } from '../page-cursor.ts'
import type { Store } from './store.ts'
import type { StoreCategory, StoreStatus } from './store-messages.ts'
import { gramsWanted } from './store-name.ts'
import { boxesAround, earthRadiusMetres, type Place } from './store-place.ts'
import { storeItemColumns, storeOf, type StoreItemRow } from './store-rows.ts'

/** What is looked for; the parts of texts are folded. */
export interface StoreSearch {
  readonly status: StoreStatus
  readonly namePart?: string | undefined
  readonly addressPart?: string | undefined
  readonly category?: StoreCategory | undefined
  /** Not over before this. */
  readonly fromMs?: number | undefined
  /** Opened by this. */
  readonly toMs?: number | undefined
  readonly near?: Place | undefined
  /** From `near`, at most. */
  readonly withinMetres?: number | undefined
  /** `distance` needs `near` and `withinMetres`. */
  readonly sort: 'opening' | 'popularity' | 'distance'
  /** The last store of the page before. */
  readonly after?: PageCursor | undefined
  readonly limit: number
}

/** A store that was found, and how far from `near` it is. */
export interface FoundStore extends Omit<Store, 'description'> {
  readonly metres: number | null
}

/** So many stores are looked at one by one before they are looked up by what they have in common. */
const lookedAtMax = 1_500

/**
 * The stores that answer to a search, in the order that is asked for.
 *
 * How many hold a part of a name, or lie within an area, differs a thousandfold, and PostgreSQL's guesses about it are as
 * far from the truth. So the first ones in the order, or the nearest, are looked at one by one. Where these do not fill a
 * page there are mostly so few that they are quickly read by their index, all of them. `sql` is a pool for searches, since
 * each deserves a plan of its own, and the table is never to be read from end to end.
 */
export async function searchStores(sql: Sql, search: StoreSearch): Promise<FoundStore[]> {
  const { near, withinMetres, sort, limit } = search
  const area = near === undefined || withinMetres === undefined ? undefined : isInBox(sql, near, withinMetres)
  const lookups = [...piecesOf(sql, search), ...(area === undefined ? [] : [area])]
  if (lookups.length === 0) return await readStores(sql, search, candidates(sql, search))
  const nearest = sort === 'distance' && near !== undefined ? near : undefined
  const met = nearest === undefined ? await readFirst(sql, search) : await readNearest(sql, search, nearest)
  return met.length === limit ? met : await readAll(sql, search, lookups)
}

type Condition = PendingQuery<Row[]>

/** The page, as far as the stores that come first in the order fill it. */
async function readFirst(sql: Sql, search: StoreSearch): Promise<FoundStore[]> {
  const first = sql`
    select * from (${candidates(sql, search)}) as candidate
    where ${isLater(sql, search)} order by ${orderOf(sql, search)} limit ${lookedAtMax}`
  return await readStores(sql, search, first)
}

/**
 * The page, if the nearest stores fill it. The index knows of degrees alone; but of as many as a page holds, taken by
 * degrees, the farthest is no nearer than the last one that is wanted, so that is how far one has to look.
 */
async function readNearest(sql: Sql, search: StoreSearch, near: Place): Promise<FoundStore[]> {
  const { longitude, latitude } = near
  const nearest = sql`
    (select * from stores order by point(longitude, latitude) <-> point(${longitude}, ${latitude}) limit ${lookedAtMax})`
  const rows = await sql<{ metres: number }[]>`
    select metres from (${candidates(sql, search, nearest)}) as candidate
    where ${isWanted(sql, search)}
    limit ${search.limit}`
  if (rows.length < search.limit) return []
  const withinMetres = Math.max(...rows.map(({ metres }) => metres))
  return await readAll(sql, search, [isInBox(sql, near, withinMetres)])
}

/** The page, from all stores that answer to some conditions of which there are indexes. */
async function readAll(sql: Sql, search: StoreSearch, lookups: readonly Condition[]): Promise<FoundStore[]> {
  const conditions = lookups.map((condition) => sql`and ${condition}`)
  return await readStores(
    sql,
    search,
    // Put in order afterwards, lest the order be followed instead of the conditions.
    sql`with few as materialized (${candidates(sql, search)} ${conditions}) select * from few`,
  )
}

async function readStores(sql: Sql, search: StoreSearch, found: Condition): Promise<FoundStore[]> {
  const rows = await sql<(StoreItemRow & { metres: number | null })[]>`
    select * from (${found}) as candidate
    where ${isWanted(sql, search)}
    order by ${orderOf(sql, search)}
    limit ${search.limit}`
  return rows.map(({ metres, ...row }) => ({ ...storeOf(row), metres }))
}

function orderOf(sql: Sql, { sort }: StoreSearch): Condition {
  if (sort === 'distance') return sql`metres, id`
  return sort === 'opening' ? sql`"opensAt" desc, id desc` : sql`popularity desc, id desc`
}

/** What can be told without looking into texts and without measuring. */
function candidates(sql: Sql, search: StoreSearch, from: Condition = sql`stores`): Condition {
  const { status, category, fromMs, toMs, near } = search
  return sql`
    select ${storeItemColumns(sql)}, name_folded, name_initials, address_folded,
      ${near === undefined ? sql`null::int` : metresFrom(sql, near)} as metres
    from ${from} as stores
    where status = ${status}
      ${category === undefined ? sql`` : sql`and category = ${category}`}
      ${fromMs === undefined ? sql`` : sql`and closes_at > ${new Date(fromMs)}`}
      ${toMs === undefined ? sql`` : sql`and opens_at <= ${new Date(toMs)}`}`
}

/** What the candidates have to be looked at for. */
function isWanted(sql: Sql, search: StoreSearch): Condition {
  const { withinMetres, namePart, addressPart } = search
  return sql`
    ${isLater(sql, search)}
    ${withinMetres === undefined ? sql`` : sql`and metres <= ${withinMetres}`}
    ${namePart === undefined ? sql`` : sql`and (strpos(name_folded, ${namePart}) > 0 or strpos(name_initials, ${namePart}) > 0)`}
    ${addressPart === undefined ? sql`` : sql`and strpos(address_folded, ${addressPart}) > 0`}`
}

/** Whether it comes after the page before. */
function isLater(sql: Sql, { sort, after }: StoreSearch): Condition {
  if (after === undefined) return sql`true`
  const { at, id } = after
  if (sort === 'distance') return sql`(metres, id) > (${at}::bigint, ${id})`
  if (sort === 'opening') return sql`("opensAt", id) < (${new Date(at)}, ${id})`
  return sql`(popularity, id) < (${at}::bigint, ${id})`
}

/** Whatever holds the texts that are looked for holds all of these pieces. */
function piecesOf(sql: Sql, { namePart, addressPart }: StoreSearch): Condition[] {
  return [
    ...(namePart === undefined ? [] : [sql`name_grams @> ${gramsWanted(namePart)}`]),
    ...(addressPart === undefined ? [] : [sql`address_grams @> ${gramsWanted(addressPart)}`]),
  ]
}

/** The index knows no distances on the earth, so it is asked for a little too much. */
function isInBox(sql: Sql, near: Place, metres: number): Condition {
  const boxes = boxesAround(near, metres + 1).map(
    ({ west, south, east, north }) =>
      sql`or point(longitude, latitude) <@ box(point(${west}, ${south}), point(${east}, ${north}))`,
  )
  return sql`(false ${boxes})`
}

/** Along the surface, in whole metres. */
function metresFrom(sql: Sql, { latitude, longitude }: Place): Condition {
  return sql`
    round(2 * ${earthRadiusMetres}::float8 * asin(least(1, sqrt(
      sin(radians(latitude - ${latitude}) / 2) ^ 2
      + cos(radians(${latitude}::float8)) * cos(radians(latitude)) * sin(radians(longitude - ${longitude}) / 2) ^ 2))))::int`
}
