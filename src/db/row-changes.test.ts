import t from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { RowChanges, type BySubject } from './row-changes.ts'

/** A database that answers when the test says so. */
function setUp() {
  const clock = new FakeClock()
  const asked: { answer: (stores: number) => void; fail: () => void }[] = []
  const read = (): Promise<BySubject> =>
    new Promise((resolve, reject) =>
      asked.push({
        answer: (stores) => resolve({ stores, sales: 7 }),
        fail: () => reject(new Error('away')),
      }),
    )
  const changes = new RowChanges({ clock, read })
  const stores = async () => (await changes.generations()).stores
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  /** Asks, and has it answered. */
  const told = async (count: number) => {
    const generation = stores()
    asked.at(-1)?.answer(count)
    return await generation
  }
  return { clock, asked, changes, stores, settle, told }
}

t.test('however many ask, it is read once a second, counted from the asking', async (t) => {
  const { clock, asked, stores, told } = setUp()
  const first = [stores(), stores()]
  await clock.advance(200)
  asked[0]?.answer(1)
  const [one, other] = await Promise.all(first)
  t.equal(one, other)
  await clock.advance(799)
  t.equal(await stores(), one)
  t.equal(asked.length, 1)
  await clock.advance(1)
  t.equal(await told(1), one, 'nothing has changed')
  await clock.advance(1_000)
  t.not(await told(2), one)
})

t.test('a subject has a new generation when its count is another, also a lower one', async (t) => {
  const { clock, changes, told } = setUp()
  const seen: number[] = []
  for (const count of [100, 98, 100, 100]) {
    seen.push(await told(count))
    await clock.advance(1_000)
  }
  t.equal(new Set(seen.slice(0, 3)).size, 3, 'a database that was put back may come to the same count again')
  t.equal(seen[2], seen[3])
  const generations = changes.generations()
  t.ok(generations instanceof Promise)
})

t.test('who asks after a change joins no reading that was begun before it', async (t) => {
  const { asked, changes, stores } = setUp()
  const before = stores()
  changes.lookAgain()
  const after = stores()
  asked[1]?.answer(2)
  const newest = await after
  asked[0]?.answer(1)
  t.equal(await before, newest, 'what is known by then is told')
  t.equal(await stores(), newest, 'the older counts do not take the place of the younger')
})

t.test('after a change nobody is told what was known before it, however long that takes', async (t) => {
  const { clock, asked, changes, stores, told } = setUp()
  const before = await told(1)
  changes.lookAgain()
  const slow = stores()
  await clock.advance(5_000)
  asked[1]?.answer(2)
  t.not(await slow, before)
  changes.lookAgain()
  const failed = stores()
  asked[2]?.fail()
  await t.rejects(failed, { message: 'away' })
})

t.test('while the database is away, nothing is known to have changed for a minute', async (t) => {
  const { clock, asked, stores, told } = setUp()
  const known = await told(1)
  await clock.advance(1_000)
  const second = stores()
  asked[1]?.fail()
  t.equal(await second, known)
  t.equal(await stores(), known)
  t.equal(asked.length, 2, 'and it is asked once a second')
  await clock.advance(59_001)
  const late = stores()
  asked[2]?.fail()
  await t.rejects(late, { message: 'away' })
})

t.test('a database that takes its time keeps nobody waiting who may be told what was known', async (t) => {
  const { clock, asked, stores, settle, told } = setUp()
  const known = await told(1)
  await clock.advance(1_000)
  const second = stores()
  await clock.advance(250)
  t.equal(await second, known)
  asked[1]?.answer(2)
  await settle()
  t.not(await stores(), known, 'what it says late is known all the same')
})

t.test('where what was known is too old, a slow database is waited for', async (t) => {
  const { clock, asked, stores, told } = setUp()
  const known = await told(1)
  await clock.advance(60_001)
  const next = stores()
  await clock.advance(5_000)
  asked[1]?.answer(1)
  t.equal(await next, known)
})

t.test('before anything is known there is nothing to fall back on', async (t) => {
  const { asked, stores, told } = setUp()
  const first = stores()
  asked[0]?.fail()
  await t.rejects(first, { message: 'away' })
  t.ok((await told(3)) > 0)
})
