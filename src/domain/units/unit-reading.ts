import type { SaleState } from '../sale-state/sale-state.ts'
import type { UnitTable } from '../sales/unit-table.ts'
import type { UnitView } from './unit-messages.ts'
import { unitRead } from './unit-scripts.ts'

/** One unit as it is now; of a held seat also until when. Throws the errors of sale-failures.ts. */
export async function readUnit(
  state: SaleState,
  asked: { readonly saleId: string; readonly unitNo: number; readonly units: UnitTable },
): Promise<UnitView> {
  const { saleId, unitNo, units } = asked
  const reply = (await state.run(unitRead, saleId, { unit: unitNo })) as [number, string, string]
  const [left, owner, expiresMs] = reply
  return {
    unit: units.codes[unitNo] ?? '',
    state: left > 0 ? 'free' : owner.startsWith('s:') ? 'sold' : 'held',
    left,
    capacity: units.capacity[unitNo] ?? 0,
    priceMinor: units.priceMinor[unitNo] ?? 0,
    priceClass: units.classNames[units.priceClass[unitNo] ?? 0] ?? '',
    ...(units.kind === 'seats' &&
      expiresMs !== '' && { heldUntil: new Date(Number(expiresMs)).toISOString() }),
  }
}
