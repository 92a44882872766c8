import t from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { EncodedAnswers } from './encoded-answers.ts'
import { FreshAnswers } from './fresh-answers.ts'

/** Answers whose readings the test ends by hand; each says which one it was. */
function setUp(bytesMax = 1_000_000) {
  const clock = new FakeClock()
  const answers = new FreshAnswers({ clock, bytesMax })
  const readings: { resolve: () => void; reject: (error: Error) => void }[] = []
  const read = (): Promise<object> => {
    const number = readings.length + 1
    return new Promise((resolve, reject) => readings.push({ resolve: () => resolve({ number }), reject }))
  }
  const get = async (name = 'a') => String((await answers.get(name, read)).body)
  return { clock, answers, readings, get }
}

t.test('however many ask at once, it is read once and all get the same bytes', async (t) => {
  const { answers, readings } = setUp()
  const read = (): Promise<object> =>
    new Promise((resolve) => readings.push({ resolve: () => resolve({}), reject: () => {} }))
  const asked = [answers.get('a', read), answers.get('a', read), answers.get('a', read)]
  t.equal(readings.length, 1)
  readings[0]?.resolve()
  const [first, ...others] = await Promise.all(asked.map((one) => Promise.resolve(one)))
  for (const other of others) t.equal(other.body, first?.body)
  t.equal(await answers.get('a', read), first)
  t.equal(readings.length, 1)
})

t.test('different names are read apart', async (t) => {
  const { readings, get } = setUp()
  const asked = [get('a'), get('b')]
  for (const { resolve } of readings) resolve()
  t.strictSame(await Promise.all(asked), ['{"number":1}', '{"number":2}'])
})

t.test('an answer is a second old at the most, counted from before it was read', async (t) => {
  const { clock, readings, get } = setUp()
  const slow = get()
  await clock.advance(900)
  readings[0]?.resolve()
  t.equal(await slow, '{"number":1}')
  await clock.advance(99)
  t.equal(await get(), '{"number":1}')
  await clock.advance(1)
  const next = get()
  readings[1]?.resolve()
  t.equal(await next, '{"number":2}')
})

t.test('what fails is told to all who waited and is not kept', async (t) => {
  const { answers, readings, get } = setUp()
  const asked = [get(), get()]
  readings[0]?.reject(new Error('away'))
  for (const one of asked) await t.rejects(one, { message: 'away' })
  t.equal(answers.size, 0)
  const again = get()
  readings[1]?.resolve()
  t.equal(await again, '{"number":2}')
})

t.test('after a change nobody gets what was read or begun before it', async (t) => {
  const { answers, readings, get } = setUp()
  const before = get()
  answers.forgetAll()
  const after = get()
  t.equal(readings.length, 2, 'the reading under way is not joined')
  readings[1]?.resolve()
  t.equal(await after, '{"number":2}')
  readings[0]?.resolve()
  t.equal(await before, '{"number":1}', 'who asked before the change gets an answer of that time')
  t.equal(await get(), '{"number":2}', 'which does not take the place of the younger one')
  answers.forgetAll()
  t.equal(answers.size, 0)
})

t.test('keeps no more bytes than it may, and lets go of what was not asked for the longest', async (t) => {
  const { answers, readings, get } = setUp(1_000)
  for (const name of ['a', 'b', 'c']) {
    const asked = get(name)
    readings.at(-1)?.resolve()
    await asked
    t.ok(answers.size <= 2)
  }
  t.equal(await get('c'), '{"number":3}')
  t.equal(await get('b'), '{"number":2}')
  const first = get('a')
  readings.at(-1)?.resolve()
  t.equal(await first, '{"number":4}')
})

t.test('a view is written once, and another view of the same is not taken for it', async (t) => {
  const answers = new EncodedAnswers()
  const view = { name: '성수' }
  const answer = answers.of(view)
  t.equal(answers.of(view), answer)
  t.equal(String(answer.body), '{"name":"성수"}')
  t.equal(answers.of({ name: '성수' }).headers?.['etag'], answer.headers?.['etag'])
  t.not(answers.of({ name: '망원' }).headers?.['etag'], answer.headers?.['etag'])
})
