import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { picturePaths } from './pictures/picture-paths.ts'
import type { Store } from './store.ts'
import type { StorePicture } from './store-messages.ts'
import { folded, gramsOf, initialsOf } from './store-name.ts'

type AnySql = Sql | TransactionSql

/** A row as the columns give it. */
export interface StoreRow extends Omit<Store, 'opensAtMs' | 'closesAtMs' | 'createdAtMs'> {
  readonly opensAt: Date
  readonly closesAt: Date
  readonly createdAt: Date
}

/** The same without its description, which may be long. */
export type StoreItemRow = Omit<StoreRow, 'description'>

export const storeColumns = (sql: AnySql) => sql`${storeItemColumns(sql)}, description`

export const storeItemColumns = (sql: AnySql) => sql`
  id, organiser_id as "organiserId", name, category, address, latitude, longitude, opens_at as "opensAt",
  closes_at as "closesAt", opening_hours as "openingHours", links, max_per_account as "maxPerAccount", popularity,
  status, created_at as "createdAt"`

export async function findStore(sql: AnySql, storeId: string): Promise<Store | undefined> {
  const [row] = await sql<StoreRow[]>`select ${storeColumns(sql)} from stores where id = ${storeId}`
  return row && storeOf(row)
}

/** The store, locked until the transaction ends: it does not change, and no sale is begun in it meanwhile. */
export async function lockStore(tx: TransactionSql, storeId: string): Promise<Store | undefined> {
  const [row] = await tx<StoreRow[]>`
    select ${storeColumns(tx)} from stores where id = ${storeId} for no key update`
  return row && storeOf(row)
}

/** Writes the store and its room. False, and nothing written, when there is a store with this id. */
export async function insertStore(tx: TransactionSql, store: Store): Promise<boolean> {
  const inserted = await tx`
    insert into stores (id, organiser_id, name, name_grams, name_folded, name_initials, address_folded,
      address_grams, description, category, address, latitude, longitude, opens_at, closes_at, opening_hours, links, max_per_account, status, created_at, updated_at)
    values (${store.id}, ${store.organiserId}, ${store.name}, ${namePieces(store)}, ${folded(store.name)},
      ${initialsOf(store.name)}, ${folded(store.address)}, ${addressPieces(store)}, ${store.description}, ${store.category}, ${store.address}, ${store.latitude},
      ${store.longitude}, ${new Date(store.opensAtMs)}, ${new Date(store.closesAtMs)},
      ${JSON.stringify(store.openingHours)}::text::jsonb, ${JSON.stringify(store.links)}::text::jsonb,
      ${store.maxPerAccount}, ${store.status}, ${new Date(store.createdAtMs)}, ${new Date(store.createdAtMs)})
    on conflict (id) do nothing
    returning 1`
  if (inserted.length === 0) return false
  await tx`insert into chat_rooms (store_id) values (${store.id})`
  return true
}

/** Writes what an organiser may change. The caller holds the lock of the store. */
export async function updateStore(tx: TransactionSql, store: Store): Promise<void> {
  await tx`
    update stores set name = ${store.name}, name_grams = ${namePieces(store)}, name_folded = ${folded(store.name)},
      name_initials = ${initialsOf(store.name)}, description = ${store.description}, category = ${store.category},
      address = ${store.address}, address_folded = ${folded(store.address)}, address_grams = ${addressPieces(store)},
      latitude = ${store.latitude}, longitude = ${store.longitude},
      opens_at = ${new Date(store.opensAtMs)}, closes_at = ${new Date(store.closesAtMs)},
      opening_hours = ${JSON.stringify(store.openingHours)}::text::jsonb,
      links = ${JSON.stringify(store.links)}::text::jsonb, max_per_account = ${store.maxPerAccount}, updated_at = now()
    where id = ${store.id}`
}

/** The pictures of each of these stores, in the order in which they are shown. */
export async function picturesOf(
  sql: AnySql,
  storeIds: readonly string[],
): Promise<ReadonlyMap<string, StorePicture[]>> {
  const pictures = new Map<string, StorePicture[]>(storeIds.map((id) => [id, []]))
  const rows = await sql<(Omit<StorePicture, 'urls'> & { storeId: string })[]>`
    select store_id as "storeId", id, alt, width, height from store_pictures
    where store_id = any(${[...storeIds]}) order by store_id, position, id`
  for (const { storeId, ...picture } of rows) {
    pictures.get(storeId)?.push({ ...picture, urls: picturePaths(picture.id) })
  }
  return pictures
}

export function storeOf(row: StoreRow): Store
export function storeOf(row: StoreItemRow): Omit<Store, 'description'>
export function storeOf(row: StoreItemRow): Omit<Store, 'description'> {
  const { opensAt, closesAt, createdAt, ...store } = row
  return {
    ...store,
    opensAtMs: opensAt.getTime(),
    closesAtMs: closesAt.getTime(),
    createdAtMs: createdAt.getTime(),
  }
}

function namePieces({ name }: Store): string[] {
  return gramsOf(folded(name), initialsOf(name))
}

function addressPieces({ address }: Store): string[] {
  return gramsOf(folded(address))
}
