import type { Sql } from '../../db/postgres.ts'
import { pageOf, readCursor, type PageCursor } from '../page-cursor.ts'
import type { StorePage, StoreQuery } from './store-messages.ts'
import { folded } from './store-name.ts'
import type { Place } from './store-place.ts'
import { picturesOf } from './store-rows.ts'
import { searchStores, type FoundStore } from './store-search.ts'
import { itemOfStore } from './store-view.ts'

/** A page of the stores that answer to a query, from a pool for searches. Throws `invalid_request` for a cursor not given out. */
export async function findStores(sql: Sql, query: StoreQuery): Promise<StorePage> {
  const { q, place, from, to, category, near, within, status, sort, cursor, limit } = query
  const search = {
    status,
    category,
    sort,
    namePart: q && folded(q),
    addressPart: place && folded(place),
    fromMs: from === undefined ? undefined : Date.parse(from),
    toMs: to === undefined ? undefined : Date.parse(to),
    near: near === undefined ? undefined : placeOf(near),
    withinMetres: within,
    after: cursor === undefined ? undefined : readCursor(cursor),
    // One more than the page holds tells whether there is another page.
    limit: limit + 1,
  }
  const { items, next } = pageOf(await searchStores(sql, search), limit, (store) => endAt(store, sort))
  const ids = items.map(({ id }) => id)
  const pictures = await picturesOf(sql, ids)
  return {
    items: items.map(({ metres, ...store }) =>
      itemOfStore(store, pictures.get(store.id) ?? [], metres ?? undefined),
    ),
    next,
  }
}

function endAt({ id, opensAtMs, popularity, metres }: FoundStore, sort: StoreQuery['sort']): PageCursor {
  return { id, at: { opening: opensAtMs, popularity, distance: metres ?? 0 }[sort] }
}

function placeOf(near: string): Place {
  const [latitude = 0, longitude = 0] = near.split(',').map(Number)
  return { latitude, longitude }
}
