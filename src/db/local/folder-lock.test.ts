import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { takeLock } from './folder-lock.ts'
import { processStart } from './process-start.ts'

t.test('a lock is held by one at a time and can be taken again after its release', async (t) => {
  const file = join(t.testdir({}), 'lock')
  const attempts = await Promise.all(Array.from({ length: 20 }, () => takeLock(file)))
  const taken = attempts.filter((lock) => 'release' in lock)
  t.equal(taken.length, 1)
  t.same(
    attempts.find((lock) => 'heldBy' in lock),
    { heldBy: process.pid },
  )
  await taken[0]?.release()
  t.same(await readdir(join(file, '..')), [])
  t.ok('release' in (await takeLock(file)))
})

t.test(
  'a lock of a process that is gone, or whose number another one has now, counts for nothing',
  async (t) => {
    const file = join(t.testdir({}), 'lock')
    const dead = [
      { pid: 2 ** 22 + 1, start: '1' },
      { pid: process.pid, start: 'long ago' },
      'not even a lock',
    ]
    for (const left of dead) {
      await writeFile(file, typeof left === 'string' ? left : JSON.stringify(left))
      const attempts = await Promise.all(Array.from({ length: 20 }, () => takeLock(file)))
      t.equal(attempts.filter((lock) => 'release' in lock).length, 1)
      t.same(await readdir(join(file, '..')), ['lock'])
    }
  },
)

t.test('a process is told from a later one with the same number', async (t) => {
  t.type(processStart(process.pid), 'string')
  t.equal(processStart(process.pid), processStart(process.pid))
  t.equal(processStart(2 ** 22 + 1), undefined)
})
