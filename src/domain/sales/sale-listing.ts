import type { Sql } from '../../db/postgres.ts'
import { pageOf, readCursor } from '../page-cursor.ts'
import type { Sale, SaleStatus } from './sale.ts'
import type { SaleQuery } from './sale-messages.ts'
import { listSales } from './sale-store.ts'

/** What is asked for; an organiser may ask for drafts too. */
type Query = Omit<SaleQuery, 'status'> & {
  readonly status?: SaleStatus | undefined
  /** Only those that are held in this store. */
  readonly storeId?: string | undefined
}

/**
 * A page of the sales that are shown, or of all of one organiser, the one that opens last first. Throws
 * `invalid_request` for a cursor not given out.
 */
export async function findSales(
  sql: Sql,
  query: Query,
  organiserId?: string,
): Promise<{ sales: Sale[]; next: string | null }> {
  const { status, kind, q, cursor, limit, storeId } = query
  const end = cursor === undefined ? undefined : readCursor(cursor)
  const after = end && { opensAtMs: end.at, id: end.id }
  // One more than the page holds tells whether there is another page.
  const filter = { status, kind, titlePart: q, after, organiserId, storeId, limit: limit + 1 }
  const found = await listSales(sql, filter)
  const { items, next } = pageOf(found, limit, ({ opensAtMs, id }) => ({ at: opensAtMs, id }))
  return { sales: items, next }
}
