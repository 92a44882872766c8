import type { UnitTable } from '../sales/unit-table.ts'

/** First and last unit of each row that these seats lie in. */
export function rowsOf(units: UnitTable, unitNos: readonly number[]): [number, number][] {
  const { seatRows } = units
  if (seatRows === undefined) return []
  const rows = new Set(unitNos.map((unitNo) => seatRows.rowOf[unitNo] ?? 0))
  return [...rows].map((row) => {
    const first = seatRows.first[row] ?? 0
    return [first, first + (seatRows.seats[row] ?? 0) - 1]
  })
}

/**
 * The seats that a choice would leave alone between taken ones, more than it must: of a run of free seats that is one
 * longer than what is chosen of it, one is left whatever is chosen. The script that takes a hold decides the same.
 */
export function seatsLeftAlone(
  units: UnitTable,
  isFree: (unitNo: number) => boolean,
  chosen: readonly number[],
): number[] {
  const wanted = new Set(chosen)
  return rowsOf(units, chosen).flatMap(([first, last]) =>
    runsOf(first, last, isFree).flatMap((run) => {
      const taken = run.filter((unitNo) => wanted.has(unitNo))
      if (taken.length === 0 || run.length - taken.length <= 1) return []
      const isLeft = (unitNo: number): boolean =>
        isFree(unitNo) && run.includes(unitNo) && !wanted.has(unitNo)
      return run.filter((unitNo) => isLeft(unitNo) && !isLeft(unitNo - 1) && !isLeft(unitNo + 1))
    }),
  )
}

/** Free seats side by side, as long as they are. */
function runsOf(first: number, last: number, isFree: (unitNo: number) => boolean): number[][] {
  const runs: number[][] = []
  for (let unitNo = first; unitNo <= last; unitNo++) {
    if (!isFree(unitNo)) continue
    if (unitNo > first && isFree(unitNo - 1)) runs.at(-1)?.push(unitNo)
    else runs.push([unitNo])
  }
  return runs
}
