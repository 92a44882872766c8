import t from 'tap'
import { tellAgainMs } from '../domain/queue/queue-place.ts'
import { TellingWheel } from './telling-wheel.ts'

t.test('whoever is due is taken out once, the others stay', async (t) => {
  const wheel = new TellingWheel<string>()
  wheel.schedule('soon', 1000)
  wheel.schedule('later', 5000)
  t.same(wheel.turn(900), [])
  t.same(wheel.turn(1100), ['soon'])
  t.same(wheel.turn(1200), [])
  t.same(wheel.turn(9000), ['later'])
})

t.test('a new time replaces the old one; what lies in the past comes with the next turn', async (t) => {
  const wheel = new TellingWheel<string>()
  wheel.schedule('one', 1000)
  wheel.schedule('one', 3000)
  t.same(wheel.turn(2000), [])
  wheel.schedule('two', 0)
  wheel.remove('one')
  t.same(wheel.turn(4000), ['two'])
})

t.test('where many are due a turn takes as many as it is asked for, and each of them once', async (t) => {
  const wheel = new TellingWheel<number>()
  for (let one = 0; one < 5; one++) wheel.schedule(one, one < 3 ? 1000 : 2000)
  const turn = () => {
    const due = wheel.turn(2000, 2)
    for (const one of due) wheel.schedule(one, 0)
    return due
  }
  t.same(turn(), [0, 1])
  wheel.remove(3)
  t.same(turn(), [2, 4])
  t.same(turn(), [], 'whoever was taken and is due again comes later')
  t.same(wheel.turn(2250), [0, 1, 2, 4])
})

t.test('who is hastened is due at the earlier of two times', async (t) => {
  const wheel = new TellingWheel<string>()
  wheel.schedule('soon', 1000)
  wheel.schedule('later', 5000)
  for (const one of ['soon', 'later', 'new']) wheel.hasten(one, 3000)
  t.same(wheel.turn(1000), ['soon'])
  t.same(wheel.turn(3000), ['later', 'new'])
})

/**
 * Ten thousand people and a gate that lets 20 in a second: how old is what each of them was told, at the moment before
 * it is told anew, as a part of what it may be?
 */
function worstStaleness(againMs: (etaSeconds: number) => number): number {
  const perSecond = 20
  const wheel = new TellingWheel<number>()
  const toldAtMs = new Map<number, number>()
  const turnMs = 250
  // What is known at an edge is some 200 ms old.
  const knownLateMs = 200
  for (let person = 0; person < 10_000; person++) wheel.schedule(person, (person % 40) * turnMs)
  let worst = 0
  for (let nowMs = 0; nowMs < 400_000; nowMs += turnMs) {
    const admitted = (perSecond * Math.max(0, nowMs - knownLateMs)) / 1000
    for (const person of wheel.turn(nowMs)) {
      const eta = (person - admitted + 1) / perSecond
      if (eta <= 0) continue
      const before = toldAtMs.get(person)
      const allowedMs = Math.min(30_000, Math.max(1000, eta * 50))
      if (before !== undefined) worst = Math.max(worst, (nowMs - before + knownLateMs) / allowedMs)
      toldAtMs.set(person, nowMs)
      wheel.schedule(person, nowMs + againMs(Math.ceil(eta)))
    }
  }
  return worst
}

t.test('nobody is ever told of a place that is too old for the wait that is left', async (t) => {
  t.ok(worstStaleness(tellAgainMs) <= 1, `${worstStaleness(tellAgainMs)} of what is allowed`)
  t.ok(worstStaleness(() => 30_000) > 2, 'telling all at the same long interval would not do')
})
