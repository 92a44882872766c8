import fc from 'fast-check'
import t from 'tap'
import {
  closeTo,
  fitted,
  moved,
  seenOf,
  toCanvas,
  toHall,
  touchScale,
  zoomed,
} from '../../public/hall/hall-view.js'

const bounds = { left: -40, top: 4, right: 60, bottom: 54 }
const size = { width: 360, height: 480 }

t.test('at first the whole hall is seen, in the middle', async (t) => {
  const seen = seenOf(fitted(bounds, size), size)
  t.ok(seen.left < bounds.left && seen.right > bounds.right)
  t.ok(seen.top < bounds.top && seen.bottom > bounds.bottom)
  t.equal(Math.round(seen.left + seen.right), 20)
  t.equal(Math.round(seen.top + seen.bottom), 58)
})

t.test('zooming keeps what is under the finger where it is', async (t) => {
  const spot = { x: 200, y: 260 }
  const before = fitted(bounds, size)
  const after = zoomed(before, { factor: 3, spot, bounds, size })
  t.equal(after.scale, before.scale * 3)
  const [was, is] = [toHall(before, spot), toHall(after, spot)]
  t.ok(Math.abs(was.x - is.x) < 1e-9 && Math.abs(was.y - is.y) < 1e-9)
})

t.test('a point goes to the canvas and back', async () => {
  fc.assert(
    fc.property(fc.double({ min: -99, max: 99, noNaN: true }), (x) => {
      const view = fitted(bounds, size)
      return Math.abs(toHall(view, toCanvas(view, { x, y: -x })).x - x) < 1e-6
    }),
  )
})

t.test(
  'however one moves and zooms, some of the hall stays in the middle, within the sizes allowed',
  async () => {
    const change = fc.record({
      factor: fc.double({ min: 0.01, max: 100, noNaN: true }),
      x: fc.integer({ min: 0, max: 360 }),
      y: fc.integer({ min: 0, max: 480 }),
      dx: fc.integer({ min: -5000, max: 5000 }),
      dy: fc.integer({ min: -5000, max: 5000 }),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 10 }), (changes) => {
        let view = fitted(bounds, size)
        for (const { factor, x, y, dx, dy } of changes) {
          view = zoomed(view, { factor, spot: { x, y }, bounds, size })
          view = moved(view, { dx, dy, bounds, size })
        }
        const middle = toHall(view, { x: 180, y: 240 })
        const slack = 1e-6
        return (
          view.scale >= fitted(bounds, size).scale - slack &&
          view.scale <= 44 &&
          middle.x >= bounds.left - slack &&
          middle.x <= bounds.right + slack &&
          middle.y >= bounds.top - slack &&
          middle.y <= bounds.bottom + slack
        )
      }),
    )
  },
)

t.test('whoever goes to a section can hit its seats with a finger', async (t) => {
  const wide = closeTo({ left: -40, top: 4, right: 60, bottom: 20 }, { bounds, size })
  t.equal(wide.scale, touchScale)
  const small = closeTo({ left: 0, top: 10, right: 3, bottom: 12 }, { bounds, size })
  t.ok(small.scale > touchScale)
})
