import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { homeOf, isRoot, newOptions, read, startProcess, write } from '../../../test/support/local-stores.ts'
import { until } from '../../../test/support/until.ts'
import { StartError } from '../../start-error.ts'
import { resetLocalData } from './data-folder.ts'
import { startLocalStores } from './local-stores.ts'
import { processStart } from './process-start.ts'

t.test('when the program is killed its stores end, and the next start finds everything', async (t) => {
  const options = await newOptions(t)
  const { child, answer } = await startProcess(t, options)
  await write(answer, 'kept')
  await killed(child)
  // At once, while the old stores may still be stopping.
  const next = await startLocalStores(options)
  t.teardown(() => next.stop())
  t.same(
    answer.pids.filter((pid) => processStart(pid) !== undefined),
    [],
  )
  t.equal((await read(next)).postgres, 'kept')
})

t.test('when the program is killed and not started again its stores end too', async (t) => {
  const { child, answer } = await startProcess(t, await newOptions(t))
  child.kill('SIGKILL')
  await until('both stores are gone', () => answer.pids.every((pid) => processStart(pid) === undefined))
})

t.test('a start after everything was killed at once is not held up by what was left behind', async (t) => {
  const options = await newOptions(t)
  const { child, answer } = await startProcess(t, options)
  await write(answer, 'kept')
  for (const pid of answer.pids) process.kill(pid, 'SIGKILL')
  await killed(child)
  const next = await startLocalStores(options)
  t.equal((await read(next)).postgres, 'kept')
  await next.stop()
})

t.test('a number left behind that belongs to a stranger by now is no obstacle', async (t) => {
  const options = await newOptions(t)
  const first = await startLocalStores(options)
  const pidFile = join(homeOf(options), 'postgres', 'postmaster.pid')
  const text = await readFile(pidFile, 'utf8')
  await first.stop()
  // Runs as PostgreSQL's own user, which is when PostgreSQL takes the number seriously.
  const { uid, gid } = await stat(join(homeOf(options), 'postgres'))
  const stranger = spawn('sleep', ['600'], { stdio: 'ignore', ...(isRoot ? { uid, gid } : {}) })
  t.teardown(() => stranger.kill())
  await writeFile(pidFile, text.replace(/^\d+/, String(stranger.pid)), { mode: 0o600 })
  if (isRoot) await chown(pidFile, uid, gid)
  const second = await startLocalStores(options)
  t.equal(stranger.exitCode, null)
  t.not(processStart(stranger.pid ?? 0), undefined)
  await second.stop()
})

t.test('Ctrl-C in the terminal reaches the program and not its stores', async (t) => {
  const { child, answer, nextLine } = await startProcess(t, await newOptions(t))
  process.kill(-(child.pid ?? 0), 'SIGINT')
  t.equal(await nextLine(), 'interrupted')
  await write(answer, 'still here')
  t.same(await read(answer), { postgres: 'still here', redis: 'still here' })
})

t.test('a folder in use by another process is refused in one line that names the process', async (t) => {
  const options = await newOptions(t)
  const { child, answer } = await startProcess(t, options)
  const refusal = `The data folder ${options.dataDir} is in use by another Openrun (process ${child.pid}): `
  for (const attempt of [() => startLocalStores(options), () => resetLocalData(options.dataDir)]) {
    const error: unknown = await attempt().catch((reason: unknown) => reason)
    t.ok(error instanceof StartError && error.message.startsWith(refusal) && !error.message.includes('\n'))
  }
  await write(answer, 'undisturbed')
})

t.test('a store that ends by itself is reported, one that was stopped is not', async (t) => {
  const stores = await startLocalStores(await newOptions(t))
  const redis = stores.redis?.pid ?? 0
  process.kill(redis, 'SIGKILL')
  let report = ''
  void stores.failed.then((line) => (report = line))
  await until('the end is reported', () => report !== '')
  t.equal(report, 'Redis ended by itself (SIGKILL)')
  await stores.stop()
  const others = await startLocalStores(await newOptions(t))
  let reported = false
  void others.failed.then(() => (reported = true))
  await others.stop()
  t.equal(reported, false)
})

/** Until then the lock is rightly held: on a busy machine a killed process lives on for a moment. */
async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
