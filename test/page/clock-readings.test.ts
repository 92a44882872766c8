import fc from 'fast-check'
import t from 'tap'
import { ClockReadings } from '../../public/live/clock-readings.js'

t.test(
  'the server’s time is known as well as the quickest request allows, and no worse than said',
  async (t) => {
    const way = fc.record({ there: fc.nat({ max: 2000 }), back: fc.nat({ max: 2000 }) })
    const ahead = fc.integer({ min: -3_600_000, max: 3_600_000 })
    fc.assert(
      fc.property(ahead, fc.array(way, { minLength: 1, maxLength: 5 }), (aheadMs, ways) => {
        const readings = new ClockReadings()
        for (const { there, back } of ways) {
          readings.add({ sentMs: 1000, serverMs: 1000 + there + aheadMs, heardMs: 1000 + there + back })
        }
        const quickestMs = Math.min(...ways.map(({ there, back }) => there + back))
        t.equal(readings.wrongByMs, quickestMs / 2)
        t.ok(Math.abs(readings.aheadMs - aheadMs) <= readings.wrongByMs)
      }),
    )
  },
)

t.test('after forgetting, a slow reading replaces a quick one', async (t) => {
  const readings = new ClockReadings()
  readings.add({ sentMs: 0, heardMs: 10, serverMs: 5 })
  readings.forget()
  t.equal(readings.aheadMs, 0, 'until then the old one stands')
  readings.add({ sentMs: 0, heardMs: 400, serverMs: 60_200 })
  t.equal(readings.aheadMs, 60_000)
})
