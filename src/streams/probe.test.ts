import t from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { Probe } from './probe.ts'

/** A store that answers when it is told to. */
function probed() {
  const clock = new FakeClock()
  const asked: { answer: () => void; fail: (error: unknown) => void }[] = []
  const ask = () => new Promise<void>((resolve, reject) => void asked.push({ answer: resolve, fail: reject }))
  const probe = new Probe({ clock, ask })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const last = () => {
    const one = asked.at(-1)
    if (one === undefined) throw new Error('nobody asked')
    return one
  }
  return {
    clock,
    probe,
    asked: () => asked.length,
    answer: async () => {
      last().answer()
      await turn()
    },
    fail: async (error: unknown) => {
      last().fail(error)
      await turn()
    },
  }
}

t.test('a store that answers is there, one that fails is away until it answers', async (t) => {
  const { probe, answer, fail } = probed()
  t.notOk(probe.isAway, 'nothing is said of one that was not asked yet')
  probe.look()
  await answer()
  t.notOk(probe.isAway)
  probe.look()
  await fail(new Error('refused'))
  t.ok(probe.isAway)
  t.match(probe.error, { message: 'refused' })
  probe.look()
  t.ok(probe.isAway, 'asking is no answer')
  await answer()
  t.notOk(probe.isAway)
  t.equal(probe.error, undefined)
})

t.test('a store that hangs is asked once, and is away after a while', async (t) => {
  const { clock, probe, asked, answer } = probed()
  probe.look()
  await clock.advance(1_500)
  probe.look()
  t.equal(asked(), 1)
  t.notOk(probe.isAway)
  await clock.advance(1)
  t.ok(probe.isAway)
  t.match(probe.error, { message: /no answer within 1500 ms/ })
  await answer()
  t.notOk(probe.isAway, 'a late answer is one')
  probe.look()
  t.equal(asked(), 2)
})

t.test('what is thrown that is no error is told all the same', async (t) => {
  const { probe, fail } = probed()
  probe.look()
  await fail('no')
  t.match(probe.error, { message: 'no' })
})
