import t from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { RowChanges } from '../db/row-changes.ts'
import { FreshReads } from './fresh-reads.ts'

/** Reads whose ends the test decides; each gives its number. `counts` is what the database would say. */
function setUp(weightMax = 1_000_000) {
  const clock = new FakeClock()
  const counts = { stores: 1, sales: 1 }
  const changes = new RowChanges({ clock, read: () => Promise.resolve({ ...counts }) })
  const reads = new FreshReads<number>({ changes, subject: 'stores', weightMax, weigh: () => 100 })
  const readings: { resolve: () => void; reject: (error: Error) => void }[] = []
  const read = (): Promise<number> => {
    const number = readings.length + 1
    return new Promise((resolve, reject) => readings.push({ resolve: () => resolve(number), reject }))
  }
  const get = async (name = 'a') => await reads.get(name, read)
  /** Lets what has been asked go as far as it goes by itself. */
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { clock, counts, changes, reads, readings, get, settle }
}

t.test('however many ask at once, it is read once', async (t) => {
  const { readings, get, settle } = setUp()
  const asked = [get(), get(), get()]
  await settle()
  t.equal(readings.length, 1)
  readings[0]?.resolve()
  t.strictSame(await Promise.all(asked), [1, 1, 1])
  t.equal(await get(), 1)
  t.equal(readings.length, 1)
})

t.test('different names are read apart', async (t) => {
  const { readings, get, settle } = setUp()
  const asked = [get('a'), get('b')]
  await settle()
  for (const { resolve } of readings) resolve()
  t.strictSame(await Promise.all(asked), [1, 2])
})

t.test('it is told until rows have changed, and a second longer at the most', async (t) => {
  const { clock, counts, readings, get, settle } = setUp()
  const first = get()
  await settle()
  readings[0]?.resolve()
  await first
  await clock.advance(3_600_000)
  t.equal(await get(), 1, 'nothing has changed')
  counts.sales += 1
  await clock.advance(1_000)
  t.equal(await get(), 1, 'of another subject')
  counts.stores += 1
  await clock.advance(999)
  t.equal(await get(), 1, 'the counts are less than a second old')
  await clock.advance(1)
  const next = get()
  await settle()
  readings[1]?.resolve()
  t.equal(await next, 2)
})

t.test('after a change that is known of, nobody gets what was read or begun before it', async (t) => {
  const { counts, changes, readings, get, settle } = setUp()
  const before = get()
  await settle()
  counts.stores += 1
  changes.lookAgain()
  const after = get()
  await settle()
  t.equal(readings.length, 2, 'the reading under way is not joined')
  readings[1]?.resolve()
  t.equal(await after, 2)
  readings[0]?.resolve()
  t.equal(await before, 1, 'who asked before the change gets an answer of that time')
  t.equal(await get(), 2, 'which does not take the place of the younger one')
})

t.test('what fails is told to all who waited and is not kept', async (t) => {
  const { reads, readings, get, settle } = setUp()
  const asked = [get(), get()].map((one) => t.rejects(one, { message: 'away' }))
  await settle()
  readings[0]?.reject(new Error('away'))
  await Promise.all(asked)
  t.equal(reads.size, 0)
  const again = get()
  await settle()
  readings[1]?.resolve()
  t.equal(await again, 2)
})

t.test('keeps no more bytes than it may, and lets go of what was not asked for the longest', async (t) => {
  const { reads, readings, get, settle } = setUp(1_010)
  const read = async (name: string) => {
    const asked = get(name)
    await settle()
    readings.at(-1)?.resolve()
    return await asked
  }
  for (const name of ['a', 'b', 'c']) {
    await read(name)
    t.ok(reads.size <= 2)
  }
  t.equal(await get('c'), 3)
  t.equal(await get('b'), 2)
  t.equal(await read('a'), 4)
})
