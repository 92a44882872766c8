import { existsSync } from 'node:fs'
import {
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  homeOf,
  isRoot,
  launch,
  newOptions,
  program,
  read,
  startProcess,
  write,
} from '../../../test/support/local-stores.ts'
import { resetLocalData } from './data-folder.ts'
import { startLocalStores } from './local-stores.ts'
import { installedPackage } from './postgres-binaries.ts'
import { canReach } from './store-account.ts'

const nobody = { uid: 65_534, gid: 65_534 }
const canRunAsNobody = isRoot && canReach(program, nobody)

t.test('a folder made by another PostgreSQL is refused and left as it is', async (t) => {
  const options = await newOptions(t)
  const stores = await startLocalStores(options)
  await stores.stop()
  const version = join(homeOf(options), 'postgres', 'PG_VERSION')
  await writeFile(version, '12\n')
  await t.rejects(startLocalStores(options), {
    name: 'StartError',
    message: /made by PostgreSQL 12 and this is 18/,
  })
  t.equal(await readFile(version, 'utf8'), '12\n')
  await t.resolves(resetLocalData(options.dataDir), 'the lock was given back')
})

t.test('a reset deletes what the stores hold and nothing else', async (t) => {
  const options = await newOptions(t)
  const stores = await startLocalStores(options)
  await write(stores, 'gone')
  await stores.stop()
  await writeFile(join(options.dataDir, 'notes.txt'), 'mine')
  await resetLocalData(options.dataDir)
  t.same(await readdir(options.dataDir), ['notes.txt'])
  await rm(join(options.dataDir, 'notes.txt'))
  const next = await startLocalStores(options)
  t.teardown(() => next.stop())
  t.same(await read(next), { postgres: undefined, redis: null })
})

t.test('a folder that is not ours is neither used nor reset', async (t) => {
  const options = await newOptions(t)
  await resetLocalData(options.dataDir)
  await mkdir(join(options.dataDir, 'postgres'), { recursive: true })
  await t.rejects(startLocalStores(options), {
    name: 'StartError',
    message: /is not a data folder of Openrun/,
  })
  await t.rejects(resetLocalData(options.dataDir), { name: 'StartError', message: /nothing was deleted/ })
  t.same(await readdir(options.dataDir), ['postgres'])
})

t.test(
  'as root in a folder closed to others, PostgreSQL gets a place that its user can reach',
  { skip: !isRoot },
  async (t) => {
    const { parent, ...options } = await newOptions(t)
    const packageDir = join(parent, 'package')
    await cp(installedPackage(), packageDir, { recursive: true, verbatimSymlinks: true })
    await chmod(parent, 0o700)
    const stateDir = await mkdtemp(join(tmpdir(), 'openrun-state-'))
    t.teardown(() => rm(stateDir, { recursive: true }))
    const closed = { ...options, packageDir, stateDir }
    const first = await startLocalStores(closed)
    await write(first, 'kept')
    await first.stop()
    t.not(homeOf(closed), options.dataDir)
    const second = await startLocalStores(closed)
    t.same(await read(second), { postgres: 'kept', redis: 'kept' })
    await second.stop()
    await resetLocalData(options.dataDir)
    t.match(await readdir(stateDir), [/^postgres-18/])
    t.notOk(existsSync(options.dataDir))
  },
)

t.test(
  'an ordinary user can start the stores in a folder of their own',
  { skip: !canRunAsNobody },
  async (t) => {
    const options = await newOptions(t)
    await chown(options.parent, nobody.uid, nobody.gid)
    const { answer } = await startProcess(t, { ...options, noInstall: true }, nobody)
    await write(answer, 'mine')
    t.same(await read(answer), { postgres: 'mine', redis: 'mine' })
    t.equal((await stat(join(options.dataDir, 'postgres'))).uid, nobody.uid)
  },
)

t.test(
  'an ordinary user is told when the folder belongs to somebody else',
  { skip: !canRunAsNobody },
  async (t) => {
    const options = await newOptions(t)
    await (await startLocalStores(options)).stop()
    const { child, answer } = await launch(options, nobody)
    t.match(answer, { error: /^The data folder .* cannot be used by this user \(EACCES\): [^\n]*$/ })
    child.kill('SIGKILL')
  },
)

t.test('a data folder may be moved', async (t) => {
  const options = await newOptions(t)
  const first = await startLocalStores(options)
  await write(first, 'kept')
  await first.stop()
  const moved = { ...options, dataDir: join(options.parent, 'elsewhere') }
  await rename(options.dataDir, moved.dataDir)
  const second = await startLocalStores(moved)
  t.same(await read(second), { postgres: 'kept', redis: 'kept' })
  await second.stop()
})
