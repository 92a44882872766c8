import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, readdir, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { StartError } from '../../start-error.ts'
import { takeLock, type FolderLock } from './folder-lock.ts'
import { canReach, storeAccount, type StoreAccount } from './store-account.ts'

/** Where things go that have no place in the data folder, because the stores' user cannot reach it there. */
export const stateDirOfMachine = '/var/lib/openrun'

export interface DataFolderOptions {
  readonly dataDir: string
  readonly stateDir: string
  readonly noInstall: boolean
  readonly log: (line: string) => void
}

/** A data folder that is ours alone until it is released. */
export interface DataFolder {
  /** What the stores keep lies in here: the data folder itself, or a folder under the state folder. */
  readonly home: string
  readonly password: string
  readonly account: StoreAccount | undefined
  release(): Promise<void>
}

/** Lies in each data folder and says that it is one; without it nothing is ever deleted. */
interface Marker {
  readonly purpose: 'openrun data folder'
  readonly password: string
  /** Where the stores' files lie when not in the data folder itself, which may be moved. */
  readonly elsewhere?: string
}

const markerName = 'openrun.json'
const contents = [
  'postgres',
  'postgres.new',
  'postgres.log',
  'postgres.password',
  'redis',
  'redis.log',
  markerName,
]

/** Creates or opens the folder and locks it. Throws `StartError` when it is in use or is something else. */
export async function openDataFolder(options: DataFolderOptions): Promise<DataFolder> {
  const dataDir = await createFolder(resolve(options.dataDir))
  const locks = [await lockFolder(dataDir)]
  const release = async () => {
    for (const lock of locks.toReversed()) await lock.release()
  }
  try {
    const known = await readMarker(dataDir)
    if (!known) await mustBeEmpty(dataDir)
    const account = storeAccount({ ...options, folder: join(homeOf(dataDir, known), 'postgres') })
    const marker = known ?? (await mark(dataDir, account, options))
    const home = homeOf(dataDir, marker)
    // A copy of the data folder names the same place.
    if (home !== dataDir) locks.push(await lockFolder(await createFolder(home)))
    return { home, password: marker.password, account, release }
  } catch (error) {
    await release()
    throw error
  }
}

/** Deletes what the local stores hold. A folder that is not ours, or in use, stays as it is: `StartError`. */
export async function resetLocalData(folder: string): Promise<void> {
  const dataDir = await realpath(resolve(folder)).catch(() => undefined)
  const entries = dataDir === undefined ? [] : await readdir(dataDir)
  if (dataDir === undefined || entries.length === 0) return
  if (!entries.includes(markerName)) throw notOurs(dataDir, 'nothing was deleted')
  const locks = [await lockFolder(dataDir)]
  const folders = new Set([dataDir])
  try {
    const home = homeOf(dataDir, await readMarker(dataDir))
    if (home !== dataDir && existsSync(home)) locks.push(await lockFolder(home))
    folders.add(home)
    // The marker goes last: until then, what is left can be reset again.
    for (const folder of [...folders].toReversed()) {
      for (const name of contents) await rm(join(folder, name), { recursive: true, force: true })
    }
  } finally {
    for (const lock of locks) await lock.release()
  }
  for (const folder of folders) await rmdir(folder).catch(() => undefined)
}

function homeOf(dataDir: string, marker: Marker | undefined): string {
  return marker?.elsewhere ?? dataDir
}

async function createFolder(folder: string): Promise<string> {
  try {
    const created = await mkdir(folder, { recursive: true })
    // Whatever the umask: the stores' user has to pass through. What is secret inside has modes of its own.
    if (created !== undefined) await chmod(folder, 0o755)
    return await realpath(folder)
  } catch (cause) {
    throw cannotUse(folder, cause)
  }
}

async function lockFolder(folder: string): Promise<FolderLock> {
  const lock = await takeLock(join(folder, 'lock')).catch((cause: unknown) => {
    throw cannotUse(folder, cause)
  })
  if (!('heldBy' in lock)) return lock
  throw new StartError(
    `The data folder ${folder} is in use by another Openrun (process ${lock.heldBy}): stop it, or set OPENRUN_DATA_DIR`,
  )
}

async function mark(
  folder: string,
  account: StoreAccount | undefined,
  options: DataFolderOptions,
): Promise<Marker> {
  const elsewhere = canReach(folder, account) ? undefined : placeFor(folder, options.stateDir)
  if (elsewhere !== undefined) {
    await mkdir(options.stateDir, { recursive: true })
    await chmod(options.stateDir, 0o755)
    options.log(`PostgreSQL's user cannot enter ${folder}: the data lies in ${elsewhere}`)
  }
  const password = randomBytes(24).toString('hex')
  const marker: Marker = { purpose: 'openrun data folder', password, ...(elsewhere && { elsewhere }) }
  const file = join(folder, markerName)
  await writeFile(`${file}.new`, JSON.stringify(marker, null, 2), { mode: 0o600, flush: true })
  await rename(`${file}.new`, file)
  return marker
}

function placeFor(folder: string, stateDir: string): string {
  const digest = createHash('sha256').update(folder).digest('hex').slice(0, 12)
  return join(stateDir, `${basename(dirname(folder)) || 'data'}-${digest}`)
}

async function readMarker(folder: string): Promise<Marker | undefined> {
  try {
    const marker = JSON.parse(await readFile(join(folder, markerName), 'utf8')) as Marker
    if (marker.purpose === 'openrun data folder') return marker
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    if (cause instanceof Error && 'code' in cause) throw cannotUse(folder, cause)
  }
  throw notOurs(folder, `${markerName} in it is broken`)
}

async function mustBeEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder)
  // Locks and a marker that was never finished are what an earlier start may have left.
  if (entries.every((name) => /^lock|^openrun\.json\.new$/.test(name))) return
  throw notOurs(folder, 'set OPENRUN_DATA_DIR to an empty or new one')
}

function notOurs(folder: string, advice: string): StartError {
  return new StartError(`${folder} is not a data folder of Openrun: ${advice}`)
}

function cannotUse(folder: string, cause: unknown): StartError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  const line = `The data folder ${folder} cannot be used by this user (${code}): start as its owner, or set OPENRUN_DATA_DIR`
  return new StartError(line, { cause })
}
