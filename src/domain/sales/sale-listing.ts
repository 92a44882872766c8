import type { Sql } from '../../db/postgres.ts'
import { generalErrors, Problem } from '../../errors.ts'
import type { Sale } from './sale.ts'
import { isSaleId, type SaleQuery } from './sale-messages.ts'
import { listSales } from './sale-store.ts'

/** A page of the sales that are shown, the one that opens last first. Throws `invalid_request` for a cursor not given out. */
export async function findSales(sql: Sql, query: SaleQuery): Promise<{ sales: Sale[]; next: string | null }> {
  const { status, kind, q, cursor, limit } = query
  const after = cursor === undefined ? undefined : readCursor(cursor)
  // One more than the page holds tells whether there is another page.
  const found = await listSales(sql, { status, kind, titlePart: q, after, limit: limit + 1 })
  const sales = found.slice(0, limit)
  const last = sales.at(-1)
  return { sales, next: found.length > limit && last !== undefined ? writeCursor(last) : null }
}

function writeCursor({ opensAtMs, id }: Sale): string {
  return Buffer.from(`${opensAtMs}:${id}`).toString('base64url')
}

function readCursor(cursor: string): { opensAtMs: number; id: string } {
  const [, opensAt = '', id = ''] =
    /^(\d{1,15}):(\w+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  const opensAtMs = Number(opensAt)
  if (opensAt === '' || !isSaleId(id) || opensAtMs > 8_000_000_000_000) {
    throw new Problem(generalErrors.invalid_request, {
      errors: [{ field: 'cursor', message: 'must be `next` of another page' }],
    })
  }
  return { opensAtMs, id }
}
