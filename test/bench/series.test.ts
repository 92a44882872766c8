import t from 'tap'
import { exponentOf, median, spreadOf } from '../../bench/measure/series.ts'

void t.test('the median is the middle of the figures in their order', async (t) => {
  t.equal(median([9, 1, 100]), 9)
  t.equal(median([100, 1, 9, 3]), 6)
  t.equal(median([10, 9, 100]), 10, 'by size and not by spelling')
  t.equal(median([7]), 7)
})

void t.test('nothing has no median', async (t) => {
  t.ok(Number.isNaN(median([])))
})

void t.test('figures are left in the order in which they came', async (t) => {
  const figures = [3, 1, 2]
  t.same(spreadOf(figures), { median: 2, lowest: 1, highest: 3 })
  t.same(figures, [3, 1, 2])
})

void t.test('the exponent is the power by which y grows with x', async (t) => {
  const at = [1, 10, 100, 1000, 50_000]
  for (const power of [-1, 0, 0.5, 1, 2]) {
    const found = exponentOf(at.map((x) => [x, 7 * x ** power] as const))
    t.ok(Math.abs(found - power) < 1e-9, `${power}: ${found}`)
  }
})

void t.test('the exponent of what scatters is that of the line which misses it least', async (t) => {
  // In logarithms of ten: (0, 0), (1, 2), (2, 2).
  const found = exponentOf([
    [1, 1],
    [10, 100],
    [100, 100],
  ])
  t.ok(Math.abs(found - 1) < 1e-9, String(found))
})

void t.test('one point grows by no power', async (t) => {
  t.ok(Number.isNaN(exponentOf([[10, 10]])))
})
