import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { StartError } from '../../start-error.ts'

/** The user as whom the local stores run when we are root; PostgreSQL refuses to run as root. */
export interface StoreAccount {
  readonly uid: number
  readonly gid: number
}

export interface StoreAccountOptions {
  /** PostgreSQL's folder, if there is one already: its owner goes on owning it. */
  readonly folder: string
  /** Forbids to create a user. */
  readonly noInstall: boolean
  readonly log: (line: string) => void
}

/** Undefined for an ordinary user: the stores then run as that user. */
export function storeAccount({ folder, noInstall, log }: StoreAccountOptions): StoreAccount | undefined {
  if (process.getuid?.() !== 0) return undefined
  const found = ownerOf(folder) ?? accountNamed('openrun') ?? accountNamed('postgres')
  if (found) return found
  const create = 'useradd --system --user-group --no-create-home --shell /usr/sbin/nologin openrun'
  const refusal = new StartError(
    `PostgreSQL does not run as root: run \`${create}\`, or start Openrun as an ordinary user, or set DATABASE_URL`,
  )
  if (noInstall) throw refusal
  log(
    'PostgreSQL does not run as root: creating the system user openrun for it (OPENRUN_NO_INSTALL=1 forbids it)',
  )
  const [command = '', ...args] = create.split(' ')
  spawnSync(command, args, { stdio: 'ignore' })
  const created = accountNamed('openrun')
  if (!created) throw refusal
  return created
}

/** Whether the account may enter every folder on the way to the path, and read what stands there. */
export function canReach(path: string, account: StoreAccount | undefined): boolean {
  if (!account) return canRead(path)
  const wanted = statSync(path).isDirectory() ? 0o5 : 0o4
  if (!allows(path, wanted, account)) return false
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!allows(folder, 0o1, account)) return false
    if (folder === dirname(folder)) return true
  }
}

function canRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

function allows(path: string, wanted: number, { uid, gid }: StoreAccount): boolean {
  const { mode, uid: owner, gid: group } = statSync(path)
  const bits = owner === uid ? mode >> 6 : group === gid ? mode >> 3 : mode
  return (bits & wanted) === wanted
}

function ownerOf(folder: string): StoreAccount | undefined {
  const found = statSync(folder, { throwIfNoEntry: false })
  return found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : undefined
}

function accountNamed(name: string): StoreAccount | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined
}
