import type { PendingQuery, Row } from 'postgres'
import type { TransactionSql } from '../../db/postgres.ts'
import type { PageCursor } from '../page-cursor.ts'
import type { Store } from './store.ts'
import type { StoreCategory, StoreStatus } from './store-messages.ts'
import { gramsWanted } from './store-name.ts'
import { boxesAround, earthRadiusMetres, type Place } from './store-place.ts'
import { storeColumns, storeOf, type StoreRow } from './store-rows.ts'

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
export interface FoundStore extends Store {
  readonly metres: number | null
}

/** So many stores are looked at one by one before they are looked up by what they have in common. */
const lookedAtMax = 1_500

/**
 * The stores that answer to a search, in the order that is asked for.
 *
 * How many hold a part of a name, or lie within an area, differs a thousandfold, and PostgreSQL's guesses about it are as
 * far from the truth. So the first ones in the order, or the nearest, are looked at one by one. Where these do not fill a
 * page there are mostly so few that they are quickly read by their index, all of them.
 */
export async function searchStores(tx: TransactionSql, search: StoreSearch): Promise<FoundStore[]> {
  // Each search deserves a plan of its own, and the table is never to be read from end to end.
  await tx`select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true)`
  const { near, withinMetres, sort, limit } = search
  const area = near === undefined || withinMetres === undefined ? undefined : isInBox(tx, near, withinMetres)
  const lookups = [...piecesOf(tx, search), ...(area === undefined ? [] : [area])]
  if (lookups.length === 0) return await readStores(tx, search, candidates(tx, search))
  const nearest = sort === 'distance' && near !== undefined ? near : undefined
  const met = nearest === undefined ? await readFirst(tx, search) : await readNearest(tx, search, nearest)
  return met.length === limit ? met : await readAll(tx, search, lookups)
}

type Condition = PendingQuery<Row[]>

/** The page, as far as the stores that come first in the order fill it. */
async function readFirst(tx: TransactionSql, search: StoreSearch): Promise<FoundStore[]> {
  const first = tx`
    select * from (${candidates(tx, search)}) as candidate
    where ${isLater(tx, search)} order by ${orderOf(tx, search)} limit ${lookedAtMax}`
  return await readStores(tx, search, first)
}

/**
 * The page, if the nearest stores fill it. The index knows of degrees alone; but of as many as a page holds, taken by
 * degrees, the farthest is no nearer than the last one that is wanted, so that is how far one has to look.
 */
async function readNearest(tx: TransactionSql, search: StoreSearch, near: Place): Promise<FoundStore[]> {
  const { longitude, latitude } = near
  const nearest = tx`
    (select * from stores order by point(longitude, latitude) <-> point(${longitude}, ${latitude}) limit ${lookedAtMax})`
  const rows = await tx<{ metres: number }[]>`
    select metres from (${candidates(tx, search, nearest)}) as candidate
    where ${isWanted(tx, search)}
    limit ${search.limit}`
  if (rows.length < search.limit) return []
  const withinMetres = Math.max(...rows.map(({ metres }) => metres))
  return await readAll(tx, search, [isInBox(tx, near, withinMetres)])
}

/** The page, from all stores that answer to some conditions of which there are indexes. */
async function readAll(
  tx: TransactionSql,
  search: StoreSearch,
  lookups: readonly Condition[],
): Promise<FoundStore[]> {
  const conditions = lookups.map((condition) => tx`and ${condition}`)
  return await readStores(
    tx,
    search,
    // Put in order afterwards, lest the order be followed instead of the conditions.
    tx`with few as materialized (${candidates(tx, search)} ${conditions}) select * from few`,
  )
}

async function readStores(tx: TransactionSql, search: StoreSearch, found: Condition): Promise<FoundStore[]> {
  const rows = await tx<(StoreRow & { metres: number | null })[]>`
    select * from (${found}) as candidate
    where ${isWanted(tx, search)}
    order by ${orderOf(tx, search)}
    limit ${search.limit}`
  return rows.map(({ metres, ...row }) => ({ ...storeOf(row), metres }))
}

function orderOf(tx: TransactionSql, { sort }: StoreSearch): Condition {
  if (sort === 'distance') return tx`metres, id`
  return sort === 'opening' ? tx`"opensAt" desc, id desc` : tx`popularity desc, id desc`
}

/** What can be told without looking into texts and without measuring. */
function candidates(tx: TransactionSql, search: StoreSearch, from: Condition = tx`stores`): Condition {
  const { status, category, fromMs, toMs, near } = search
  return tx`
    select ${storeColumns(tx)}, name_folded, name_initials, address_folded,
      ${near === undefined ? tx`null::int` : metresFrom(tx, near)} as metres
    from ${from} as stores
    where status = ${status}
      ${category === undefined ? tx`` : tx`and category = ${category}`}
      ${fromMs === undefined ? tx`` : tx`and closes_at > ${new Date(fromMs)}`}
      ${toMs === undefined ? tx`` : tx`and opens_at <= ${new Date(toMs)}`}`
}

/** What the candidates have to be looked at for. */
function isWanted(tx: TransactionSql, search: StoreSearch): Condition {
  const { withinMetres, namePart, addressPart } = search
  return tx`
    ${isLater(tx, search)}
    ${withinMetres === undefined ? tx`` : tx`and metres <= ${withinMetres}`}
    ${namePart === undefined ? tx`` : tx`and (strpos(name_folded, ${namePart}) > 0 or strpos(name_initials, ${namePart}) > 0)`}
    ${addressPart === undefined ? tx`` : tx`and strpos(address_folded, ${addressPart}) > 0`}`
}

/** Whether it comes after the page before. */
function isLater(tx: TransactionSql, { sort, after }: StoreSearch): Condition {
  if (after === undefined) return tx`true`
  const { at, id } = after
  if (sort === 'distance') return tx`(metres, id) > (${at}::bigint, ${id})`
  if (sort === 'opening') return tx`("opensAt", id) < (${new Date(at)}, ${id})`
  return tx`(popularity, id) < (${at}::bigint, ${id})`
}

/** Whatever holds the texts that are looked for holds all of these pieces. */
function piecesOf(tx: TransactionSql, { namePart, addressPart }: StoreSearch): Condition[] {
  return [
    ...(namePart === undefined ? [] : [tx`name_grams @> ${gramsWanted(namePart)}`]),
    ...(addressPart === undefined ? [] : [tx`address_grams @> ${gramsWanted(addressPart)}`]),
  ]
}

/** The index knows no distances on the earth, so it is asked for a little too much. */
function isInBox(tx: TransactionSql, near: Place, metres: number): Condition {
  const boxes = boxesAround(near, metres + 1).map(
    ({ west, south, east, north }) =>
      tx`or point(longitude, latitude) <@ box(point(${west}, ${south}), point(${east}, ${north}))`,
  )
  return tx`(false ${boxes})`
}

/** Along the surface, in whole metres. */
function metresFrom(tx: TransactionSql, { latitude, longitude }: Place): Condition {
  return tx`
    round(2 * ${earthRadiusMetres}::float8 * asin(least(1, sqrt(
      sin(radians(latitude - ${latitude}) / 2) ^ 2
      + cos(radians(${latitude}::float8)) * cos(radians(latitude)) * sin(radians(longitude - ${longitude}) / 2) ^ 2))))::int`
}
