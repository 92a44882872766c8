import fc from 'fast-check'
import t from 'tap'
import { freeRuns, FreeSeats } from '../../public/hall/free-seats.js'
import { HallSeats } from '../../public/hall/hall-seats.js'
import { SeatGrid } from '../../public/hall/seat-grid.js'
import { buildHall } from '../../src/domain/sales/hall.ts'
import { hallDescription } from '../../src/domain/sales/sale-layout-messages.ts'
import { demoSales } from '../../src/domain/sales/demo-sales.ts'

function demoHall() {
  const [sale] = demoSales(0, 'sto_1')
  if (sale?.kind !== 'seats') throw new Error('The first demo sale has a hall')
  const { units, layout } = buildHall(hallDescription.parse(sale.hall))
  return { units, seats: new HallSeats(layout) }
}

t.test('every seat has the number, code, class and price that the server gave it', async (t) => {
  const { units, seats } = demoHall()
  t.equal(seats.count, units.length)
  const ours = units.map(({ unitNo }) => ({
    unitNo: seats.numberOf(seats.codeOf(unitNo)),
    code: seats.codeOf(unitNo),
    capacity: 1,
    priceMinor: seats.priceMinorOf(unitNo),
    priceClass: seats.priceClasses[seats.priceClass[unitNo] ?? -1]?.name,
  }))
  t.strictSame(ours, units)
})

t.test('codes of no seat have no number', async (t) => {
  const { seats } = demoHall()
  for (const code of ['', 'B', 'B-01', 'B-01-00', 'B-01-31', 'B-99-01', 'Z-01-01', 'B-01-1.5', 'B-01-x']) {
    t.equal(seats.numberOf(code), undefined, code)
  }
})

t.test('the outline of a section goes around its seats, turned or not', async (t) => {
  const { seats } = demoHall()
  for (const { outline, first, seats: count, code } of seats.sections) {
    const outside = Array.from({ length: count }, (_, nth) => first + nth).filter(
      (unitNo) => !isInside([seats.x[unitNo] ?? 0, seats.y[unitNo] ?? 0], outline),
    )
    t.strictSame(outside, [], code)
  }
  const { left, right } = seats.bounds
  t.ok(seats.x.every((x) => x > left && x < right))
})

t.test('the grid finds the same seats as looking at all of them', async () => {
  const { seats } = demoHall()
  const grid = new SeatGrid(seats)
  const units = Array.from({ length: seats.count }, (_, unitNo) => unitNo)
  const coordinate = fc.double({ min: -70, max: 70, noNaN: true })
  fc.assert(
    fc.property(coordinate, coordinate, fc.double({ min: 0, max: 30, noNaN: true }), (x, y, size) => {
      const rect = { left: x, top: y, right: x + size, bottom: y + size }
      const wanted = units.filter((unitNo) => {
        const [seatX, seatY] = [seats.x[unitNo] ?? 0, seats.y[unitNo] ?? 0]
        return seatX >= x && seatX <= rect.right && seatY >= y && seatY <= rect.bottom
      })
      return (
        grid
          .within(rect)
          .toSorted((a, b) => a - b)
          .join() === wanted.join()
      )
    }),
  )
})

t.test('a tap hits the nearest seat within reach, and nothing beyond it', async (t) => {
  const { seats } = demoHall()
  const grid = new SeatGrid(seats)
  for (let unitNo = 0; unitNo < seats.count; unitNo += 7) {
    const near = { x: (seats.x[unitNo] ?? 0) + 0.3, y: (seats.y[unitNo] ?? 0) - 0.3 }
    t.equal(grid.nearest(near, 0.6), unitNo)
  }
  t.equal(grid.nearest({ x: 0, y: -20 }, 0.6), undefined)
})

t.test('what is free is counted by row, section and class, whatever changes', async () => {
  const { seats } = demoHall()
  const states = new Uint8Array(seats.count)
  const free = new FreeSeats(seats)
  free.updateAll(states)
  const change = fc.tuple(fc.nat(seats.count - 1), fc.integer({ min: 0, max: 2 }))
  fc.assert(
    fc.property(fc.array(change, { maxLength: 50 }), (changes) => {
      for (const [unitNo, state] of changes) states[unitNo] = state
      free.update(
        states,
        changes.map(([unitNo]) => unitNo),
      )
      const again = new FreeSeats(seats)
      again.updateAll(states)
      return (
        free.total === states.filter((state) => state === 0).length &&
        free.byRow.join() === again.byRow.join() &&
        free.bySection.join() === again.bySection.join() &&
        free.byClass.join() === again.byClass.join()
      )
    }),
    { numRuns: 40 },
  )
})

t.test('seats free side by side are found as runs, as long as asked for or longer', async (t) => {
  const row = { section: 0, row: 1, first: 2, seats: 7, priceClass: 0 }
  const states = Uint8Array.from([0, 0, /* the row */ 0, 1, 0, 0, 0, 2, 0, /* behind it */ 0])
  t.strictSame(freeRuns(row, states, 1), [
    { first: 2, seats: 1 },
    { first: 4, seats: 3 },
    { first: 8, seats: 1 },
  ])
  t.strictSame(freeRuns(row, states, 3), [{ first: 4, seats: 3 }])
  t.strictSame(freeRuns(row, states, 4), [])
})

/** Even and odd crossings to the right. */
function isInside([x, y]: [number, number], outline: readonly (readonly [number, number])[]): boolean {
  return outline.reduce((inside, [x1, y1], index) => {
    const [x2, y2] = outline[(index + 1) % outline.length] ?? [0, 0]
    const crosses = y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1
    return crosses ? !inside : inside
  }, false)
}
