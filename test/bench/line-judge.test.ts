import t from 'tap'
import { isRightPosition, judgeLine, type LineRun } from '../../bench/load/line-judge.ts'

type Telling = readonly [waiter: number, position: number, atMs: number]

/** A line from which one is let in each second, the first at 1,000 ms, and hears of it 10 ms later. */
function lineOf(count: number, told: readonly Telling[]): LineRun {
  const admittedAtMs = Array.from({ length: count }, (_, waiter) => 1000 * (waiter + 1))
  return {
    tellings: {
      waiters: told.map(([waiter]) => waiter),
      positions: told.map(([, position]) => position),
      atMs: told.map(([, , atMs]) => atMs),
    },
    admittedAtMs,
    heardAtMs: admittedAtMs.map((atMs) => atMs + 10),
    fromMs: 0,
    toMs: 1000 * count,
    perSecond: 1,
  }
}

void t.test('what a waiter knows grows old from the moment at which one more was let in', async (t) => {
  const { age, late, told } = judgeLine(
    lineOf(10, [
      // The fifth has position 5 until 1,000 ms, and position 4 until 2,000 ms.
      [4, 5, 0],
      [4, 4, 1800],
    ]),
  )
  t.equal(told, 2)
  t.equal(age.mostMs, 3010, 'until it heard at 5,010 ms that it was let in itself')
  t.equal(late, 1, 'the first was 800 ms old when it was told anew')
})

void t.test('what is still true is not old, however long ago it was told', async (t) => {
  const { age, late } = judgeLine({ ...lineOf(10, [[4, 5, 0]]), admittedAtMs: [], heardAtMs: [] })
  t.equal(age.mostMs, 0)
  t.equal(late, 0)
})

void t.test('the longer the wait that is left, the older it may be, up to half a minute', async (t) => {
  const lateWhenToldAnewAt = (waiter: number, atMs: number): number =>
    judgeLine({
      ...lineOf(2000, [
        [waiter, waiter + 1, 0],
        [waiter, waiter + 1 - atMs / 1000, atMs],
      ]),
      toMs: atMs,
    }).late
  t.equal(lateWhenToldAnewAt(199, 10_000), 0, '9 s old, with 190 s to go')
  t.equal(lateWhenToldAnewAt(199, 12_000), 1, '11 s old, with 188 s to go')
  t.equal(lateWhenToldAnewAt(1999, 30_000), 0)
  t.equal(lateWhenToldAnewAt(1999, 32_000), 1)
})

void t.test('a position told before it is true is found out', async (t) => {
  const untrue = (told: Telling): number => judgeLine(lineOf(10, [told])).untrue
  t.equal(untrue([4, 5, 500]), 0)
  t.equal(untrue([4, 4, 990]), 1)
  t.equal(untrue([4, 4, 999]), 0, 'two clocks need not agree to the millisecond')
  t.equal(untrue([4, 3, 1500]), 1)
  t.equal(untrue([4, 6, 500]), 1, 'nobody falls back')
})

void t.test('only what a waiter knew within the time is judged', async (t) => {
  const line = lineOf(10, [
    [8, 9, 0],
    [8, 5, 4500],
    [8, 4, 5500],
  ])
  t.equal(judgeLine(line).late, 2, 'at 4,500 ms, and when it was let in')
  t.equal(judgeLine({ ...line, fromMs: 4600, toMs: 5600 }).late, 0)
  t.equal(judgeLine({ ...line, fromMs: 4600, toMs: 5600 }).told, 1)
})

void t.test('whoever comes back is told what is true, or what has not been untrue for long', async (t) => {
  const line = lineOf(10, [])
  const isRight = (...[waiter, position, atMs]: Telling): boolean =>
    isRightPosition(line, { waiter, position, atMs })
  t.equal(isRight(4, 4, 1500), true)
  t.equal(isRight(4, 5, 1500), true, 'it was so half a second ago')
  t.equal(isRight(4, 5, 2500), false, 'it was so one and a half seconds ago')
  t.equal(isRight(4, 3, 1500), false, 'it is not yet so')
  t.equal(isRight(4, 6, 500), false, 'nobody falls back')
  t.equal(isRight(4, 0, 5001), true, 'it was let in')
  t.equal(isRight(4, 0, 4900), false, 'it was not let in yet')
  t.equal(isRight(4, 1, 6500), false, 'it was let in long ago')
})
