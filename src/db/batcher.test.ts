import t from 'tap'
import { Problem } from '../errors.ts'
import { Batcher, type Fate } from './batcher.ts'

const double = (items: readonly number[]): Promise<Fate<number>[]> =>
  Promise.resolve(items.map((item) => ({ ok: true, value: item * 2 })))

/** A `run` that shows each batch and ends it when the test says so. */
function heldBatches() {
  const batches: { items: readonly number[]; release: () => void }[] = []
  const run = (items: readonly number[]) =>
    new Promise<Fate<number>[]>((resolve) => {
      batches.push({ items, release: () => resolve(items.map((value) => ({ ok: true, value }))) })
    })
  return { batches, run }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

t.test('items of one turn travel in one batch and each gets its own answer', async (t) => {
  const sizes: number[] = []
  const batcher = new Batcher<number, number>({
    batchMax: 10,
    queueMax: 100,
    run: (items) => {
      sizes.push(items.length)
      return double(items)
    },
  })
  t.same(await Promise.all([1, 2, 3].map((item) => batcher.add(item))), [2, 4, 6])
  t.same(sizes, [3])
})

t.test('while one batch is under way the next one fills, up to its size', async (t) => {
  const { batches, run } = heldBatches()
  const batcher = new Batcher<number, number>({ batchMax: 2, queueMax: 100, run })
  const answers = [1, 2, 3, 4, 5].map((item) => batcher.add(item))
  await nextTurn()
  t.same(
    batches.map((batch) => batch.items),
    [[1, 2]],
    'one batch at a time',
  )
  t.equal(batcher.waiting, 3)
  for (let index = 0; index < 3; index++) {
    batches[index]?.release()
    await nextTurn()
    await nextTurn()
  }
  t.same(await Promise.all(answers), [1, 2, 3, 4, 5])
  t.same(
    batches.map((batch) => batch.items),
    [[1, 2], [3, 4], [5]],
  )
})

t.test('several batches are under way at once when allowed', async (t) => {
  const { batches, run } = heldBatches()
  const batcher = new Batcher<number, number>({ batchMax: 1, queueMax: 100, inFlightMax: 2, run })
  const answers = [1, 2, 3].map((item) => batcher.add(item))
  await nextTurn()
  t.equal(batches.length, 2)
  for (const batch of batches) batch.release()
  await nextTurn()
  await nextTurn()
  for (const batch of batches) batch.release()
  t.same(await Promise.all(answers), [1, 2, 3])
})

t.test('an item that finds the queue full is refused with unavailable and the others go on', async (t) => {
  const { batches, run } = heldBatches()
  const batcher = new Batcher<number, number>({ batchMax: 1, queueMax: 2, run })
  const first = batcher.add(1)
  await nextTurn()
  const queued = [batcher.add(2), batcher.add(3)]
  const refused: unknown = await batcher.add(4).catch((error: unknown) => error)
  t.ok(refused instanceof Problem && refused.code === 'unavailable')
  for (let index = 0; index < 3; index++) {
    batches[index]?.release()
    await nextTurn()
    await nextTurn()
  }
  t.same(await Promise.all([first, ...queued]), [1, 2, 3])
})

t.test('one refused item does not touch its neighbours', async (t) => {
  const batcher = new Batcher<number, number>({
    batchMax: 10,
    queueMax: 10,
    run: (items) =>
      Promise.resolve(
        items.map((item) => (item === 2 ? { ok: false, error: new Error('no') } : { ok: true, value: item })),
      ),
  })
  const results = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)))
  t.same(
    results.map((result) => result.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
})

t.test('a failed batch is the fate of all its items, and the batcher goes on', async (t) => {
  let fail = true
  const batcher = new Batcher<number, number>({
    batchMax: 10,
    queueMax: 10,
    run: (items) => (fail ? Promise.reject(new Error('store away')) : double(items)),
  })
  const results = await Promise.allSettled([1, 2].map((item) => batcher.add(item)))
  t.ok(results.every((result) => result.status === 'rejected'))
  fail = false
  t.equal(await batcher.add(4), 8)
})

t.test('after a failure that asks for it each item is tried alone', async (t) => {
  const batcher = new Batcher<number, number>({
    batchMax: 10,
    queueMax: 10,
    aloneAfter: () => true,
    run: (items) => (items.includes(2) ? Promise.reject(new Error('bad item')) : double(items)),
  })
  const results = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)))
  t.same(
    results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed')),
    [2, 'failed', 6],
  )
})

t.test('an item without a fate is refused rather than left waiting', async (t) => {
  const batcher = new Batcher<number, number>({ batchMax: 2, queueMax: 10, run: () => Promise.resolve([]) })
  await t.rejects(batcher.add(1), { message: 'The batch gave this item no fate' })
})

t.test('idle comes when the last batch has ended', async (t) => {
  const { batches, run } = heldBatches()
  const batcher = new Batcher<number, number>({ batchMax: 1, queueMax: 10, run })
  await batcher.whenIdle()
  let idle = false
  const answer = batcher.add(1)
  const wait = batcher.whenIdle().then(() => (idle = true))
  await nextTurn()
  t.equal(idle, false)
  batches[0]?.release()
  await wait
  t.equal(await answer, 1)
})
