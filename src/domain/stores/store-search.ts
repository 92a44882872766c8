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

/** From so many stores on an area is not read as a whole: its stores are met anyway on the way through all of them. */
const crowdedFrom = 2_000

/** The stores that answer to a search, in the order that is asked for. */
export async function searchStores(tx: TransactionSql, search: StoreSearch): Promise<FoundStore[]> {
  // How many rows a part of a name has, or an area, differs a thousandfold: each search deserves a plan of its own.
  await tx`set local plan_cache_mode = force_custom_plan`
  const { near, withinMetres, sort } = search
  if (near === undefined || withinMetres === undefined) return await readStores(tx, search)
  if (sort === 'distance') {
    const metres = await metresOfNearest(tx, { ...search, near, withinMetres })
    return await readStores(tx, search, isInBox(tx, near, metres))
  }
  const crowded = await isCrowded(tx, near, withinMetres)
  return await readStores(tx, search, crowded ? undefined : isInBox(tx, near, withinMetres))
}

type Condition = PendingQuery<Row[]>

async function readStores(tx: TransactionSql, search: StoreSearch, area?: Condition): Promise<FoundStore[]> {
  const { sort, limit } = search
  const order = {
    opening: tx`"opensAt" desc, id desc`,
    popularity: tx`popularity desc, id desc`,
    distance: tx`metres, id`,
  }[sort]
  const rows = await tx<(StoreRow & { metres: number | null })[]>`
    select * from (${candidates(tx, search, area)}) as candidate
    where ${isWanted(tx, search)}
    order by ${order}
    limit ${limit}`
  return rows.map(({ metres, ...row }) => ({ ...storeOf(row), metres }))
}

/**
 * How far one must go, at most, for the stores of this page. Those that are nearest in degrees come out of the index one
 * by one; as many as the page holds, the farthest of them is no nearer than the last one that is wanted.
 */
async function metresOfNearest(
  tx: TransactionSql,
  search: StoreSearch & { near: Place; withinMetres: number },
): Promise<number> {
  const { near, withinMetres, limit } = search
  const rows = await tx<{ metres: number }[]>`
    select metres from (${candidates(tx, search, isInBox(tx, near, withinMetres))}) as candidate
    where ${isWanted(tx, search)}
    order by point(longitude, latitude) <-> point(${near.longitude}, ${near.latitude})
    limit ${limit}`
  return rows.length < limit ? withinMetres : Math.max(...rows.map(({ metres }) => metres))
}

async function isCrowded(tx: TransactionSql, near: Place, withinMetres: number): Promise<boolean> {
  const [row] = await tx<{ count: number }[]>`
    select count(*)::int as count
    from (select from stores where ${isInBox(tx, near, withinMetres)} limit ${crowdedFrom}) as met`
  return row?.count === crowdedFrom
}

/** What can be told from the columns alone, by an index where there is one. */
function candidates(tx: TransactionSql, search: StoreSearch, area: Condition = tx`true`): Condition {
  const { status, category, namePart, addressPart, fromMs, toMs, near } = search
  return tx`
    select ${storeColumns(tx)}, ${near === undefined ? tx`null::int` : metresFrom(tx, near)} as metres from stores
    where status = ${status} and ${area}
      ${category === undefined ? tx`` : tx`and category = ${category}`}
      ${fromMs === undefined ? tx`` : tx`and closes_at > ${new Date(fromMs)}`}
      ${toMs === undefined ? tx`` : tx`and opens_at <= ${new Date(toMs)}`}
      ${namePart === undefined ? tx`` : isNamed(tx, namePart)}
      ${addressPart === undefined ? tx`` : isAt(tx, addressPart)}`
}

/** How far away it may be, and what comes after the page before. */
function isWanted(tx: TransactionSql, { withinMetres, sort, after }: StoreSearch): Condition {
  const within = withinMetres === undefined ? tx`true` : tx`metres <= ${withinMetres}`
  if (after === undefined) return within
  const { at, id } = after
  const later = {
    opening: tx`("opensAt", id) < (${new Date(at)}, ${id})`,
    popularity: tx`(popularity, id) < (${at}::bigint, ${id})`,
    distance: tx`(metres, id) > (${at}::bigint, ${id})`,
  }[sort]
  return tx`${within} and ${later}`
}

/** The pieces find it in the index, the whole decides. */
function isNamed(tx: TransactionSql, part: string): Condition {
  const like = likePart(part)
  return tx`and name_grams @> ${gramsWanted(part)} and (name_folded like ${like} or name_initials like ${like})`
}

function isAt(tx: TransactionSql, part: string): Condition {
  return tx`and address_grams @> ${gramsWanted(part)} and address_folded like ${likePart(part)}`
}

function likePart(part: string): string {
  return `%${part.replace(/[\\%_]/g, '\\$&')}%`
}

/** The index knows no distances on the earth, so it is asked for a little too much. */
function isInBox(tx: TransactionSql, near: Place, metres: number): Condition {
  const [first, second] = boxesAround(near, metres + 1).map(
    ({ west, south, east, north }) =>
      tx`point(longitude, latitude) <@ box(point(${west}, ${south}), point(${east}, ${north}))`,
  )
  return second === undefined ? tx`${first ?? tx`true`}` : tx`(${first ?? tx`true`} or ${second})`
}

/** Along the surface, in whole metres. */
function metresFrom(tx: TransactionSql, { latitude, longitude }: Place): Condition {
  return tx`
    round(2 * ${earthRadiusMetres}::float8 * asin(least(1, sqrt(
      sin(radians(latitude - ${latitude}) / 2) ^ 2
      + cos(radians(${latitude}::float8)) * cos(radians(latitude)) * sin(radians(longitude - ${longitude}) / 2) ^ 2))))::int`
}
