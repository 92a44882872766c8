import type { Clock } from '../clock.ts'
import { idFrom } from '../ids.ts'
import { demoSales } from './sales/demo-sales.ts'
import { createSale, type SaleCreating } from './sales/sale-creating.ts'
import { anySaleExists } from './sales/sale-store.ts'
import { createDemoStores } from './stores/demo-stores.ts'

/**
 * Gives an empty server something to sell, and stores to be found. Does nothing when there are sales. All ids depend on
 * the organiser alone, so processes that start together make them once.
 * @returns the ids of the sales it made
 */
export async function createDemo(
  deps: SaleCreating & { readonly clock: Clock },
  { organiserId }: { organiserId: string },
): Promise<string[]> {
  if (await anySaleExists(deps.sql)) return []
  const [store = ''] = await createDemoStores(deps, { organiserId })
  const made: string[] = []
  for (const description of demoSales(deps.clock.nowMs(), store)) {
    const saleId = idFrom('sal', 'demo', organiserId, description.kind)
    made.push((await createSale(deps, { saleId, organiserId, description })).id)
  }
  return made
}
