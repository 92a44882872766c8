import t from 'tap'
import { demoSales } from './demo-sales.ts'
import { buildHall } from './hall.ts'
import { newSale } from './sale-messages.ts'
import { buildSlots } from './slots.ts'

const nowMs = Date.UTC(2026, 10, 21, 12)

t.test('describes sales that the door for organisers would let in', async (t) => {
  for (const description of demoSales(nowMs, 'sto_1'))
    t.ok(newSale.safeParse(description).success, description.title)
})

t.test('has a hall of 2,400 seats in 9 sections and 4 price classes, no two seats in one spot', async (t) => {
  const [hall] = demoSales(nowMs, 'sto_1')
  if (hall?.kind !== 'seats') throw new Error('the first is a hall')
  const { units, layout } = buildHall(hall.hall)
  t.equal(units.length, 2_400)
  t.equal(layout.sections.length, 9)
  t.equal(new Set(units.map(({ priceClass }) => priceClass)).size, 4)
  const spots = layout.sections.flatMap(({ dx, dy, rows }) =>
    rows.flatMap(({ x, y, seats }) =>
      Array.from({ length: seats }, (_, seat) => ({ x: x + seat * dx, y: y + seat * dy })),
    ),
  )
  const close = spots.filter((one, index) =>
    spots.slice(index + 1).some((other) => Math.hypot(one.x - other.x, one.y - other.y) < 0.9),
  )
  t.strictSame(close, [])
})

t.test('has a store with 7 days from tomorrow, 8 hours a day and 10 free places an hour', async (t) => {
  const [, store] = demoSales(nowMs, 'sto_1')
  if (store?.kind !== 'slots') throw new Error('the second is a store')
  const { units, layout } = buildSlots(store.slots)
  t.equal(layout.dates[0], '2026-11-22')
  t.equal(layout.dates.length, 7)
  t.equal(layout.hours.length, 8)
  t.equal(units.length, 56)
  t.ok(units.every(({ capacity, priceMinor }) => capacity === 10 && priceMinor === 0))
})
