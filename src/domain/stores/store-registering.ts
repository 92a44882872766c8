import type { Sql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { readTime } from '../sales/sale-store.ts'
import type { Store } from './store.ts'
import type { NewStore } from './store-messages.ts'
import { findStore, insertStore } from './store-rows.ts'

/**
 * Writes a store and opens its room, in one transaction. The same id again gives the store that stands, so a repeated
 * request makes nothing new. Throws `invalid_request`.
 */
export async function registerStore(
  sql: Sql,
  options: { storeId: string; organiserId: string; description: NewStore },
): Promise<Store> {
  const { storeId, organiserId, description } = options
  const { opensAt, closesAt, maxPerAccount = null, ...described } = description
  return await transaction(sql, async (tx) => {
    const nowMs = await readTime(tx)
    const store: Store = {
      ...described,
      id: storeId,
      organiserId,
      opensAtMs: Date.parse(opensAt),
      closesAtMs: Date.parse(closesAt),
      maxPerAccount,
      popularity: 0,
      status: 'open',
      createdAtMs: nowMs,
    }
    mustCloseLater(store, nowMs)
    if (await insertStore(tx, store)) return store
    return mustBeOf(organiserId, await findStore(tx, storeId))
  })
}

/** Throws `invalid_request` for a store that is over already. */
export function mustCloseLater({ closesAtMs }: Store, nowMs: number): void {
  if (closesAtMs > nowMs) return
  throw new Problem(generalErrors.invalid_request, {
    errors: [{ field: 'closesAt', message: 'must lie in the future' }],
  })
}

function mustBeOf(organiserId: string, store: Store | undefined): Store {
  if (store?.organiserId !== organiserId) throw new Problem(generalErrors.forbidden)
  return store
}
