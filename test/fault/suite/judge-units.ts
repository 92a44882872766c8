import { groupedBy } from '../../../src/crowd/grouped-by.ts'
import type { Judged } from './promises.ts'
import type { UnitTenure } from './tenures.ts'
import { contradictionOf, crowdedMoment } from './unit-linearity.ts'

/**
 * The history of each unit can be that of one: of a seat, which is one's at a time, or of a slot, whose places are as
 * many as it has.
 * @param capacities of the units that are no seats, by sale and code
 */
export function judgeUnits(tenures: readonly UnitTenure[], capacities: ReadonlyMap<string, number>): Judged {
  const byUnit = groupedBy(tenures, ({ sale, unit }) => `${unit} of ${sale}`)
  const breaches = [...byUnit].flatMap(([unit, own]) => {
    const capacity = capacities.get(unit) ?? 1
    const wrong = capacity === 1 ? (contradictionOf(own) ?? []) : crowdedMoment(own, capacity)
    if (wrong.length === 0) return []
    const holds = [...new Set(wrong.map(({ hold }) => hold))].join(', ')
    return [{ promise: 1, what: `${unit} has ${capacity} and was had at once by ${wrong.length}: ${holds}` }]
  })
  return { breaches, looked: { tenures: tenures.length } }
}
