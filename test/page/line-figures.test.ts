import fc from 'fast-check'
import t from 'tap'
import {
  progress,
  roundedRange,
  saidPosition,
  shownPosition,
  waitRange,
} from '../../public/line/line-figures.js'

function told(position: number, how: { rate?: number; pace?: number; eta?: number } = {}) {
  const { rate = 600, pace = 600, eta = Math.ceil(((position - 1) * 60) / rate) } = how
  return {
    position,
    ahead: position - 1,
    behind: 0,
    etaSeconds: eta,
    ratePerMinute: rate,
    pacePerMinute: pace,
    left: 100,
  }
}
const fresh = { sinceMs: 0, isMoving: true, shown: undefined }

t.test('what is shown is never further ahead of what was told than a word may be old', async (t) => {
  const told$ = fc.record({
    position: fc.integer({ min: 1, max: 1_000_000 }),
    rate: fc.integer({ min: 1, max: 100_000 }),
    pace: fc.integer({ min: 0, max: 100_000 }),
  })
  fc.assert(
    fc.property(
      told$,
      fc.nat({ max: 120_000 }),
      fc.option(fc.nat({ max: 1_000_000 })),
      (said, sinceMs, shown) => {
        const last = told(said.position, said)
        const now = shownPosition(last, { sinceMs, isMoving: true, shown: shown ?? undefined })
        t.ok(now <= last.position && now >= last.position - 0.05 * last.ahead)
        t.ok(last.position === 1 || now > 1, 'nobody is next who was not told so')
      },
    ),
  )
})

t.test('between two words the position goes on at the pace of the gate', async (t) => {
  const last = told(1001, { rate: 600, pace: 600 })
  const shown = [0, 1000, 2500, 5000, 60_000].map((sinceMs) => shownPosition(last, { ...fresh, sinceMs }))
  t.same(shown, [1001, 991, 976, 951, 951])
})

t.test('while nothing moves, neither does the position', async (t) => {
  t.equal(shownPosition(told(1001), { ...fresh, sinceMs: 60_000, isMoving: false }), 1001)
  t.equal(shownPosition(told(1001, { pace: 0 }), { ...fresh, sinceMs: 60_000 }), 1001)
})

t.test(
  'nobody is moved back a little because the gate was slower, but a lot because of a loss',
  async (t) => {
    t.equal(shownPosition(told(1000), { ...fresh, shown: 980 }), 980)
    t.equal(shownPosition(told(1000), { ...fresh, shown: 400 }), 1000)
    t.equal(shownPosition(told(12), { ...fresh, shown: 11 }), 12, 'near the front it is exact')
  },
)

t.test(
  'the wait lies between the pace set and the pace measured, and holds what the server expects',
  async (t) => {
    t.same(waitRange(told(601, { rate: 600, pace: 300, eta: 100 })), { fromSeconds: 60, toSeconds: 120 })
    t.same(waitRange(told(601, { rate: 600, pace: 0 })), { fromSeconds: 60, toSeconds: 60 })
    t.same(waitRange(told(601, { rate: 600, pace: 1 })), { fromSeconds: 60, toSeconds: 180 })
    t.same(waitRange(told(1)), { fromSeconds: 0, toSeconds: 0 })
  },
)

t.test('a range is said in units that fit', async (t) => {
  t.same(roundedRange({ fromSeconds: 12, toSeconds: 44 }), { unit: 'seconds', from: 10, to: 50 })
  t.same(roundedRange({ fromSeconds: 187, toSeconds: 251 }), { unit: 'minutes', from: 3, to: 5 })
  t.same(roundedRange({ fromSeconds: 7300, toSeconds: 11_000 }), { unit: 'hours', from: 2, to: 4 })
  t.same(roundedRange({ fromSeconds: 0, toSeconds: 0 }), { unit: 'seconds', from: 0, to: 10 })
})

t.test('progress begins at nothing and ends at all', async (t) => {
  t.same([progress(100, 100), progress(1, 100), progress(150, 100), progress(1, 1)], [0, 1, 0, 1])
})

t.test('a screen reader hears of the position when it means something', async (t) => {
  const said: number[] = []
  let last: number | undefined
  for (let position = 1000; position >= 1; position--) {
    const next = saidPosition(last, position)
    if (next !== last) said.push(next)
    last = next
  }
  t.ok(said.length < 30, `${said.length} times on the way from 1,000`)
  t.same(said.slice(-5), [5, 4, 3, 2, 1])
  t.equal(saidPosition(10, 400), 400, 'moved back is said')
})
