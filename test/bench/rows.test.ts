import t from 'tap'
import { rowOf, type Goal } from '../../bench/measure/rows.ts'

const measured = {
  metric: 'joins',
  unit: 'a second',
  ours: [90, 100, 110],
  limit: [200, 200, 200],
  peer: { name: 'somebody', figures: [50, 50, 50] },
}

void t.test('a goal is told with what it is a goal of', async (t) => {
  const textOf = (goal: Goal) => rowOf({ ...measured, goal }).goal
  t.equal(textOf({ of: 'limit', least: 0.8 }), '≥ 0.8 × limit')
  t.equal(textOf({ of: 'peer', most: 0.2 }), '≤ 0.2 × peer')
  t.equal(textOf({ of: 'ours', most: 100 }), '≤ 100 a second')
  t.equal(rowOf(measured).goal, null)
  t.equal(rowOf(measured).met, null)
})

void t.test('a goal is met on its bound and on the right side of it', async (t) => {
  const isMet = (goal: Goal) => rowOf({ ...measured, goal }).met
  t.equal(isMet({ of: 'limit', least: 0.5 }), true)
  t.equal(isMet({ of: 'limit', least: 0.51 }), false)
  t.equal(isMet({ of: 'limit', most: 0.5 }), true)
  t.equal(isMet({ of: 'limit', most: 0.49 }), false)
  t.equal(isMet({ of: 'peer', least: 2 }), true)
  t.equal(isMet({ of: 'peer', least: 2.01 }), false)
  t.equal(isMet({ of: 'ours', least: 100 }), true)
  t.equal(isMet({ of: 'ours', most: 99 }), false)
})

void t.test('what is not known meets no goal', async (t) => {
  const goals: readonly Goal[] = [
    { of: 'ours', least: 0 },
    { of: 'ours', most: 1e9 },
    { of: 'limit', least: 0 },
    { of: 'limit', most: 1e9 },
  ]
  for (const goal of goals) t.equal(rowOf({ ...measured, ours: [Number.NaN], goal }).met, false)
  const { metric, unit, ours } = measured
  const alone = rowOf({ metric, unit, ours, goal: { of: 'limit', most: 1e9 } })
  t.equal(alone.met, false, 'nor does a ratio to what was not measured')
  t.equal(alone.ratio, null)
  t.equal(alone.ratioTo, null)
})

void t.test('the ratio is to what the goal names, else to the limit, else to the peer', async (t) => {
  const { limit: _, ...withoutLimit } = measured
  const cases = [
    [rowOf({ ...measured, goal: { of: 'peer', least: 1 } }), 2, 'peer'],
    [rowOf({ ...measured, goal: { of: 'limit', least: 1 } }), 0.5, 'limit'],
    [rowOf({ ...measured, goal: { of: 'ours', least: 1 } }), 0.5, 'limit'],
    [rowOf(measured), 0.5, 'limit'],
    [rowOf(withoutLimit), 2, 'peer'],
    [rowOf({ ...withoutLimit, goal: { of: 'limit', least: 1 } }), null, null],
  ] as const
  for (const [row, ratio, to] of cases) {
    t.equal(row.ratio, ratio)
    t.equal(row.ratioTo, to)
  }
})

void t.test('the bound of a ratio is told as a number, that of a figure is not', async (t) => {
  const boundOf = (goal: Goal) => rowOf({ ...measured, goal }).ratioGoal
  t.same(boundOf({ of: 'limit', least: 0.8 }), { least: 0.8 })
  t.same(boundOf({ of: 'peer', most: 0.2 }), { most: 0.2 })
  t.equal(boundOf({ of: 'ours', most: 100 }), null)
})

void t.test('the ratio is one of medians, its range one of turns side by side', async (t) => {
  const row = rowOf({ ...measured, ours: [90, 100, 400], limit: [100, 200, 200] })
  t.equal(row.ratio, 0.5)
  t.same(row.ratioSpread, { median: 0.9, lowest: 0.5, highest: 2 })
  t.same(row.spread, { median: 100, lowest: 90, highest: 400 })
})
