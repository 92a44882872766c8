import fc from 'fast-check'
import t from 'tap'
import { nearestSlots } from './nearest-slots.ts'

const codes = ['2026-12-01', '2026-12-03'].flatMap((date) =>
  ['10:00', '11:00', '13:00', '18:30'].map((hour) => `${date}T${hour}`),
)
const units = { codes, count: codes.length }
const timeOf = (unitNo: number): number => Date.parse(`${codes[unitNo]}Z`)

t.test('offers what is nearest in time, the earlier of two as near', async (t) => {
  const left = [1, 0, 2, 3, 0, 0, 0, 4]
  t.same(
    nearestSlots(units, (unitNo) => left[unitNo] ?? 0, { unitNo: 1, quantity: 1 }),
    [
      { unit: '2026-12-01T10:00', left: 1 },
      { unit: '2026-12-01T13:00', left: 2 },
      { unit: '2026-12-01T18:30', left: 3 },
      { unit: '2026-12-03T18:30', left: 4 },
    ],
  )
})

t.test('offers the five nearest that have as many places as were asked for, whatever is free', async (t) => {
  const lefts = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 8, maxLength: 8 })
  const fulls = fc.integer({ min: 0, max: 7 })
  fc.assert(
    fc.property(lefts, fulls, fc.integer({ min: 1, max: 3 }), (left, full, quantity) => {
      const expected = codes
        .map((unit, unitNo) => ({ unit, unitNo, left: left[unitNo] ?? 0 }))
        .filter((one) => one.unitNo !== full && one.left >= quantity)
        .toSorted((a, b) => {
          const [far, near] = [a, b].map(({ unitNo }) => Math.abs(timeOf(unitNo) - timeOf(full)))
          return (far ?? 0) - (near ?? 0) || a.unitNo - b.unitNo
        })
        .slice(0, 5)
        .map(({ unit, left: places }) => ({ unit, left: places }))
      const found = nearestSlots(units, (unitNo) => left[unitNo] ?? 0, { unitNo: full, quantity })
      t.same(found, expected)
    }),
  )
})
