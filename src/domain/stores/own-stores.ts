import type { Sql } from '../../db/postgres.ts'
import { pageOf, readCursor } from '../page-cursor.ts'
import type { StorePage } from './store-messages.ts'
import { picturesOf, storeColumns, storeOf, type StoreRow } from './store-rows.ts'
import { itemOfStore } from './store-view.ts'

/** The stores of an organiser, closed ones too, the one that opens last first. Throws `invalid_request`. */
export async function listOwnStores(
  sql: Sql,
  asked: { organiserId: string; cursor?: string | undefined; limit: number },
): Promise<StorePage> {
  const { organiserId, limit } = asked
  const after = asked.cursor === undefined ? undefined : readCursor(asked.cursor)
  const rows = await sql<StoreRow[]>`
    select ${storeColumns(sql)} from stores
    where organiser_id = ${organiserId}
      ${after === undefined ? sql`` : sql`and (opens_at, id) < (${new Date(after.at)}, ${after.id})`}
    order by opens_at desc, id desc
    limit ${limit + 1}`
  const page = pageOf(rows.map(storeOf), limit, ({ id, opensAtMs }) => ({ id, at: opensAtMs }))
  const ids = page.items.map(({ id }) => id)
  const pictures = await picturesOf(sql, ids)
  return {
    items: page.items.map((store) => itemOfStore(store, pictures.get(store.id) ?? [])),
    next: page.next,
  }
}
