import fc from 'fast-check'
import t from 'tap'
import { buildHall } from '../sales/hall.ts'
import type { HallDescription } from '../sales/sale-layout-messages.ts'
import { buildSlots } from '../sales/slots.ts'
import { makeUnitTable, type UnitTable } from '../sales/unit-table.ts'
import { bestGroups, bestPools, type BestWanted } from './best-available.ts'

function tableOf(hall: HallDescription): UnitTable {
  const { units, layout } = buildHall(hall)
  return makeUnitTable(units, layout)
}

const classNames = ['near', 'far']

const anyHall = fc
  .array(
    fc.record({
      seatsPerRow: fc.array(fc.integer({ min: 1, max: 14 }), { minLength: 1, maxLength: 4 }),
      nearRows: fc.integer({ min: 0, max: 4 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((sections) =>
    tableOf({
      priceClasses: classNames.map((name, index) => ({ name, priceMinor: 1000 * (index + 1) })),
      sections: sections.map(({ seatsPerRow, nearRows }, index) => ({
        code: 'ABC'[index] ?? '',
        rows: seatsPerRow.length,
        seatsPerRow,
        priceClass: 'far',
        rowPriceClasses:
          nearRows === 0 ? [] : [{ from: 1, to: Math.min(nearRows, seatsPerRow.length), priceClass: 'near' }],
      })),
    }),
  )

const anySearch = anyHall.chain((table) =>
  fc.record({
    table: fc.constant(table),
    free: fc.array(fc.boolean(), { minLength: table.count, maxLength: table.count }),
    want: fc.record({
      count: fc.integer({ min: 1, max: 6 }),
      section: fc.constantFrom(undefined, 'A', 'B', 'C'),
      priceClass: fc.constantFrom(undefined, ...classNames),
    }),
    seed: fc.integer({ min: 0, max: 999 }),
  }),
)

/** Every group there is, found the slow way. */
function allGroups(table: UnitTable, free: readonly boolean[], want: BestWanted): number[][] {
  const groups: number[][] = []
  for (let first = 0; first + want.count <= table.count; first++) {
    const group = Array.from({ length: want.count }, (_, seat) => first + seat)
    if (isGroup(table, free, want, group)) groups.push(group)
  }
  return groups
}

function isGroup(
  table: UnitTable,
  free: readonly boolean[],
  want: BestWanted,
  group: readonly number[],
): boolean {
  const places = group.map((unitNo) => (table.codes[unitNo] ?? '').split('-'))
  return (
    group.length === want.count &&
    group.every((unitNo) => free[unitNo]) &&
    places.every(
      ([section, row, seat], index) =>
        section === places[0]?.[0] &&
        row === places[0]?.[1] &&
        Number(seat) === Number(places[0]?.[2]) + index &&
        (want.section === undefined || section === want.section),
    ) &&
    (want.priceClass === undefined ||
      group.every((unitNo) => table.classNames[table.priceClass[unitNo] ?? -1] === want.priceClass))
  )
}

t.test('offers groups that are free, side by side in one row, and as wanted; none twice', async (t) => {
  fc.assert(
    fc.property(anySearch, ({ table, free, want, seed }) => {
      const groups = bestGroups(table, (unitNo) => free[unitNo] ?? false, want, {
        groupsMax: 8,
        random: () => ((seed * 7919) % 1000) / 1000,
      })
      const seats = groups.flat()
      return (
        groups.length <= 8 &&
        groups.every((group) => isGroup(table, free, want, group)) &&
        new Set(seats).size === seats.length
      )
    }),
    { numRuns: 1000 },
  )
  t.pass('held for all')
})

t.test('offers nothing exactly when there is no group', async (t) => {
  fc.assert(
    fc.property(anySearch, ({ table, free, want }) => {
      const groups = bestGroups(table, (unitNo) => free[unitNo] ?? false, want, {
        groupsMax: 1,
        random: () => 0,
      })
      return groups.length > 0 === allGroups(table, free, want).length > 0
    }),
    { numRuns: 1000 },
  )
  t.pass('held for all')
})

t.test(
  'takes the best: first section, near and middle rows, and no seat left alone if that costs nothing',
  async (t) => {
    fc.assert(
      fc.property(anySearch, ({ table, free, want }) => {
        const isFree = (unitNo: number) => free[unitNo] ?? false
        const [best] = bestGroups(table, isFree, want, { groupsMax: 1, amongMax: 1, random: () => 0 })
        const ranks = allGroups(table, free, want).map((group) => rankOf(table, free, group))
        return best === undefined || rankOf(table, free, best) === Math.min(...ranks)
      }),
      { numRuns: 1000 },
    )
    t.pass('held for all')
  },
)

/** Section, then rows back or three seats aside, then seats left alone. */
function rankOf(table: UnitTable, free: readonly boolean[], group: readonly number[]): number {
  const rows = table.seatRows
  const [first = 0] = group
  const row = rows?.rowOf[first] ?? 0
  const rowFirst = rows?.first[row] ?? 0
  const seats = rows?.seats[row] ?? 0
  const aside = Math.abs(first + (group.length - 1) / 2 - (rowFirst + (seats - 1) / 2))
  const rowFree = free
    .slice(rowFirst, rowFirst + seats)
    .map((isFree, seat) => isFree && !group.includes(rowFirst + seat))
  const alone = [first - rowFirst - 1, first - rowFirst + group.length].filter(
    (seat) => rowFree[seat] && !rowFree[seat - 1] && !rowFree[seat + 1],
  ).length
  return (rows?.section[row] ?? 0) * 1e6 + ((rows?.row[row] ?? 0) + Math.floor(aside / 3)) * 10 + alone
}

t.test('sends people who ask at the same moment to different seats', async (t) => {
  const table = tableOf({
    priceClasses: [{ name: 'all', priceMinor: 0 }],
    sections: [{ code: 'A', rows: 20, seatsPerRow: 20, priceClass: 'all' }],
  })
  const offered = new Set<string>()
  for (let asker = 0; asker < 400; asker++) {
    const [first] = bestGroups(table, () => true, { count: 2 }, { groupsMax: 8, random: Math.random })
    offered.add(String(first))
  }
  t.ok(offered.size >= 16, `${offered.size} different groups for 400 people`)
})

t.test('offers nothing for a section or a class that is not there', async (t) => {
  const table = tableOf({
    priceClasses: [{ name: 'all', priceMinor: 0 }],
    sections: [{ code: 'A', rows: 1, seatsPerRow: 5, priceClass: 'all' }],
  })
  const options = { groupsMax: 8, random: () => 0 }
  t.strictSame(
    bestGroups(table, () => true, { count: 2, section: 'Z' }, options),
    [],
  )
  t.strictSame(
    bestGroups(table, () => true, { count: 2, priceClass: 'none' }, options),
    [],
  )
  t.strictSame(
    bestGroups(table, () => true, { count: 6 }, options),
    [],
  )
})

t.test('offers the earliest slots that have enough places left', async (t) => {
  const { units, layout } = buildSlots({
    dates: ['2026-11-23', '2026-11-22'],
    hours: ['10:00', '11:00'],
    capacity: 10,
    priceMinor: 0,
  })
  const table = makeUnitTable(units, layout)
  const left = [1, 3, 2, 10]
  t.strictSame(
    bestPools(table, (unitNo) => left[unitNo] ?? 0, { count: 2 }, { groupsMax: 8 }),
    [1, 2, 3],
  )
  t.strictSame(
    bestPools(table, (unitNo) => left[unitNo] ?? 0, { count: 2 }, { groupsMax: 1 }),
    [1],
  )
  t.strictSame(
    bestPools(table, () => 10, { count: 1, priceClass: 'gold' }, { groupsMax: 8 }),
    [],
  )
  t.strictSame(
    bestGroups(table, () => true, { count: 1 }, { groupsMax: 8, random: () => 0 }),
    [],
  )
})
