import { EMPTY, Subject, throwError } from 'rxjs'
import t from 'tap'
import { runLatest } from './run-latest.ts'

/** Work that ends when the test says so. */
function workshop() {
  const begun: string[] = []
  const ends: ((result: string | Error) => void)[] = []
  const work = (value: string): Promise<string> =>
    new Promise((resolve, reject) => {
      begun.push(value)
      ends.push((result) => (result instanceof Error ? reject(result) : resolve(result)))
    })
  /** Ends the oldest work and lets what follows from it happen. */
  const end = async (result: string | Error = 'done'): Promise<void> => {
    ends.shift()?.(result)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return { begun, work, end }
}

function watched(source: Subject<string>, work: (value: string) => Promise<string>) {
  const seen: string[] = []
  const subscription = source.pipe(runLatest(work)).subscribe({
    next: (value) => seen.push(value),
    error: (error: unknown) => seen.push(String(error)),
    complete: () => seen.push('complete'),
  })
  return { seen, subscription }
}

t.test('one runs at a time; of those that come meanwhile the last runs after it', async (t) => {
  const { begun, work, end } = workshop()
  const source = new Subject<string>()
  const { seen } = watched(source, work)
  for (const value of ['a', 'b', 'c', 'd']) source.next(value)
  t.same(begun, ['a'])
  await end('A')
  t.same(begun, ['a', 'd'], 'a and then only the last')
  source.next('e')
  await end('D')
  await end('E')
  t.same(begun, ['a', 'd', 'e'])
  t.same(seen, ['A', 'D', 'E'])
  source.next('f')
  t.same(begun, ['a', 'd', 'e', 'f'], 'and after a rest at once')
})

t.test('it completes when its source has and the last work is done', async (t) => {
  const { work, end } = workshop()
  const source = new Subject<string>()
  const { seen } = watched(source, work)
  source.next('a')
  source.next('b')
  source.complete()
  t.same(seen, [])
  await end('A')
  t.same(seen, ['A'])
  await end('B')
  t.same(seen, ['A', 'B', 'complete'])
  const quiet: string[] = []
  EMPTY.pipe(runLatest(work)).subscribe({ complete: () => quiet.push('complete') })
  t.same(quiet, ['complete'], 'at once when there was nothing to do')
})

t.test('work that fails ends it, and so does a source that fails', async (t) => {
  const { begun, work, end } = workshop()
  const source = new Subject<string>()
  const { seen } = watched(source, work)
  source.next('a')
  source.next('b')
  await end(new Error('broken'))
  t.same(seen, ['Error: broken'])
  t.same(begun, ['a'], 'nothing more begins')
  const failed: unknown[] = []
  throwError(() => 'gone')
    .pipe(runLatest(work))
    .subscribe({ error: (error: unknown) => failed.push(error) })
  t.same(failed, ['gone'])
})

t.test('after unsubscribing nothing more begins', async (t) => {
  const { begun, work, end } = workshop()
  const source = new Subject<string>()
  const { subscription, seen } = watched(source, work)
  source.next('a')
  source.next('b')
  subscription.unsubscribe()
  await end('A')
  source.next('c')
  t.same(begun, ['a'])
  t.same(seen, [])
})
