import type { UnitTable } from '../sales/unit-table.ts'

/** A slot that has places. */
export interface FreeSlot {
  readonly unit: string
  readonly left: number
}

/** Slots that are offered instead of a full one. */
const nearestMax = 5

/**
 * The slots nearest in time to a full one that have as many places, the nearest first; of two as near the earlier one.
 * Slots are numbered in the order of time, so it is looked for outwards, and no further than needed.
 */
export function nearestSlots(
  units: Pick<UnitTable, 'codes' | 'count'>,
  leftOf: (unitNo: number) => number,
  full: { readonly unitNo: number; readonly quantity: number },
): FreeSlot[] {
  const timeOf = (unitNo: number): number => Date.parse(`${units.codes[unitNo]}Z`)
  const at = timeOf(full.unitNo)
  const next = (from: number, step: 1 | -1): number => {
    let unitNo = from + step
    while (unitNo >= 0 && unitNo < units.count && leftOf(unitNo) < full.quantity) unitNo += step
    return unitNo
  }
  const found: FreeSlot[] = []
  let [before, after] = [next(full.unitNo, -1), next(full.unitNo, 1)]
  while (found.length < nearestMax && (before >= 0 || after < units.count)) {
    const isBefore = before >= 0 && (after >= units.count || at - timeOf(before) <= timeOf(after) - at)
    const unitNo = isBefore ? before : after
    found.push({ unit: units.codes[unitNo] ?? '', left: leftOf(unitNo) })
    if (isBefore) before = next(before, -1)
    else after = next(after, 1)
  }
  return found
}
