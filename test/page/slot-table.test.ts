import t from 'tap'
import { SlotTable } from '../../public/slots/slot-table.js'
import { buildSlots } from '../../src/domain/sales/slots.ts'

const { units, layout } = buildSlots({
  dates: { from: '2026-03-02', to: '2026-03-20' },
  closedDates: ['2026-03-04', '2026-03-09', '2026-03-10', '2026-03-11', '2026-03-12', '2026-03-13'].concat([
    '2026-03-14',
    '2026-03-15',
  ]),
  hours: ['14:00', '10:00'],
  capacity: 3,
  priceMinor: 0,
  exceptions: [{ date: '2026-03-06', hours: ['09:00', '10:00', '21:00'], capacity: 7 }],
})
const slots = new SlotTable(layout)

t.test('every slot has the number and the code that the server gave it', async (t) => {
  t.equal(slots.count, units.length)
  for (const { unitNo, code, capacity } of units) {
    t.equal(slots.codeOf(unitNo), code)
    t.equal(slots.numberOf(code), unitNo)
    t.equal(slots.capacityOf(unitNo), capacity)
  }
  for (const code of ['', '2026-03-02', '2026-03-02T11:00', '2026-03-04T10:00']) {
    t.equal(slots.numberOf(code), undefined, code)
  }
})

t.test('days come seven at a time, closed ones among them; seven closed days are left out', async (t) => {
  t.strictSame(
    slots.weeks().map((days) => [days[0], days.length, days.at(-1)]),
    [
      ['2026-03-02', 7, '2026-03-08'],
      ['2026-03-16', 5, '2026-03-20'],
    ],
  )
  t.ok(slots.weeks()[0]?.includes('2026-03-04'), 'a closed day among open ones is shown')
})

t.test('a day has as many places as its slots together, a closed day none to speak of', async (t) => {
  const left = new Int32Array(slots.count).fill(3)
  left[1] = 0
  t.equal(slots.leftOn('2026-03-02', left), 3)
  t.equal(slots.leftOn('2026-03-03', left), 6)
  t.equal(slots.leftOn('2026-03-04', left), undefined)
})
