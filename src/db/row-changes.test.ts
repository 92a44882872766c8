import t from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { RowChanges, type ChangeCounts } from './row-changes.ts'

/** A database that answers when the test says so. */
function setUp() {
  const clock = new FakeClock()
  const asked: { answer: (stores: number) => void; fail: () => void }[] = []
  const read = (): Promise<ChangeCounts> =>
    new Promise((resolve, reject) =>
      asked.push({
        answer: (stores) => resolve({ stores, sales: 0 }),
        fail: () => reject(new Error('away')),
      }),
    )
  const changes = new RowChanges({ clock, read })
  const stores = async () => (await changes.now()).stores
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { clock, asked, changes, stores, settle }
}

t.test('however many ask, it is read once a second, counted from the asking', async (t) => {
  const { clock, asked, stores } = setUp()
  const first = [stores(), stores()]
  await clock.advance(200)
  asked[0]?.answer(1)
  t.strictSame(await Promise.all(first), [1, 1])
  await clock.advance(799)
  t.equal(await stores(), 1)
  t.equal(asked.length, 1)
  await clock.advance(1)
  const next = stores()
  asked[1]?.answer(2)
  t.equal(await next, 2)
})

t.test('who asks after a change joins no reading that was begun before it', async (t) => {
  const { asked, changes, stores } = setUp()
  const before = stores()
  changes.lookAgain()
  const after = stores()
  asked[1]?.answer(2)
  t.equal(await after, 2)
  asked[0]?.answer(1)
  t.equal(await before, 1)
  t.equal(await stores(), 2, 'the older counts do not take the place of the younger')
})

t.test('while the database is away, nothing is known to have changed for a minute', async (t) => {
  const { clock, asked, stores } = setUp()
  const first = stores()
  asked[0]?.answer(1)
  await first
  await clock.advance(1_000)
  const second = stores()
  asked[1]?.fail()
  t.equal(await second, 1)
  t.equal(await stores(), 1)
  t.equal(asked.length, 2, 'and it is asked once a second')
  await clock.advance(59_001)
  const late = stores()
  asked[2]?.fail()
  await t.rejects(late, { message: 'away' })
})

t.test('a database that takes its time keeps nobody waiting who may have older counts', async (t) => {
  const { clock, asked, stores, settle } = setUp()
  const first = stores()
  asked[0]?.answer(1)
  await first
  await clock.advance(1_000)
  const second = stores()
  await clock.advance(250)
  t.equal(await second, 1)
  asked[1]?.answer(2)
  await settle()
  t.equal(await stores(), 2, 'what it says late is known all the same')
})

t.test('before anything is known there is nothing to fall back on', async (t) => {
  const { asked, stores } = setUp()
  const first = stores()
  asked[0]?.fail()
  await t.rejects(first, { message: 'away' })
  const again = stores()
  asked[1]?.answer(3)
  t.equal(await again, 3)
})
