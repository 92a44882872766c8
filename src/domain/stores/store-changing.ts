import type { Sql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { readTime } from '../sales/sale-store.ts'
import type { Store } from './store.ts'
import { closeStores } from './store-closing.ts'
import { storeErrors } from './store-errors.ts'
import type { StoreChanges } from './store-messages.ts'
import { mustCloseLater } from './store-registering.ts'
import { lockStore, updateStore } from './store-rows.ts'

/**
 * Changes a store for its organiser, or closes it with its sales and its room; names the sales that were closed. Throws
 * `no_such_store`, `forbidden` (another's store: it is public, so there is nothing to hide), `store_closed`,
 * `invalid_request`.
 */
export async function changeStore(
  sql: Sql,
  options: { storeId: string; organiserId: string; changes: StoreChanges },
): Promise<{ store: Store; closedSales: string[] }> {
  const { storeId, organiserId, changes } = options
  return await transaction(sql, async (tx) => {
    const store = await lockStore(tx, storeId)
    if (store === undefined) throw new Problem(storeErrors.no_such_store)
    if (store.organiserId !== organiserId) throw new Problem(generalErrors.forbidden)
    const { status, ...rest } = changes
    const changed = changedStore(store, rest)
    if (changed === store && store.status === 'closed') return { store, closedSales: [] }
    if (store.status === 'closed') throw new Problem(storeErrors.store_closed)
    if (changed !== store) {
      mustCloseLater(changed, await readTime(tx))
      await updateStore(tx, changed)
    }
    if (status === undefined) return { store: changed, closedSales: [] }
    const closedSales = await closeStores(tx, [storeId])
    return { store: { ...changed, status }, closedSales }
  })
}

function changedStore(store: Store, changes: Omit<StoreChanges, 'status'>): Store {
  if (Object.keys(changes).length === 0) return store
  const { opensAt, closesAt } = changes
  const changed = {
    ...store,
    ...told(changes),
    opensAtMs: opensAt === undefined ? store.opensAtMs : Date.parse(opensAt),
    closesAtMs: closesAt === undefined ? store.closesAtMs : Date.parse(closesAt),
  }
  if (changed.opensAtMs < changed.closesAtMs) return changed
  throw new Problem(generalErrors.invalid_request, {
    errors: [{ field: 'closesAt', message: 'must be later than opensAt' }],
  })
}

/** What is to be changed, without the times. */
function told({ opensAt: _, closesAt: __, ...rest }: StoreChanges): Partial<Store> {
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
}
