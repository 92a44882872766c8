import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../clock.ts'
import { StartError } from '../../start-error.ts'
import { takeLock } from './folder-lock.ts'

export interface RedisServerOptions {
  /** The setting REDIS_BIN. */
  readonly redisBin?: string | undefined
  /** Forbids to install anything. */
  readonly noInstall: boolean
  readonly log: (line: string) => void
  /** Folders to look in, separated by colons. */
  readonly path?: string | undefined
}

/**
 * Debian puts the server binary into redis-tools under this name; `redis-server` is a link to it that comes with
 * the system service. It looks at the name it is called by to know what to do.
 */
const names = ['redis-server', 'valkey-server', 'redis-check-rdb'] as const
const install = 'apt-get install -y redis-tools'
const installLock = '/run/openrun-install.lock'

/** The file of a Redis or Valkey server. Installs Debian's redis-tools when there is none and it may. */
export async function redisServer(options: RedisServerOptions): Promise<string> {
  const path = options.path ?? process.env['PATH'] ?? ''
  if (options.redisBin !== undefined) {
    if (isServer(options.redisBin)) return options.redisBin
    throw new StartError(`REDIS_BIN=${options.redisBin} is not a Redis server that can be run`)
  }
  const found = onPath(path)
  if (found) return found
  const isRoot = process.getuid?.() === 0
  const apt = isDebian() ? fileOnPath('apt-get', path) : undefined
  if (apt && isRoot && !options.noInstall) {
    await installTools(apt, path, options.log)
    const installed = onPath(path)
    if (installed) return installed
  }
  const advice = isDebian() ? `run \`${isRoot ? '' : 'sudo '}${install}\`` : 'install Redis 7 or Valkey'
  throw new StartError(`No Redis on this machine: ${advice}, or set REDIS_BIN or REDIS_URL`)
}

/** Whether the file has to be run under the name `redis-server`. */
export function needsName(file: string): boolean {
  return file.endsWith('/redis-check-rdb')
}

function onPath(path: string): string | undefined {
  return names.map((name) => fileOnPath(name, path)).find((file) => file !== undefined && isServer(file))
}

function isServer(file: string): boolean {
  const { stdout } = spawnSync(file, ['--version'], { argv0: 'redis-server', encoding: 'utf8' })
  return /server v=/i.test(stdout ?? '')
}

function fileOnPath(name: string, path: string): string | undefined {
  const files = path.split(':').flatMap((folder) => (folder ? [join(folder, name)] : []))
  return files.find(canRun)
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

/** Several processes may come to this at once, as when tests run in parallel: one installs, the others wait. */
async function installTools(apt: string, path: string, log: (line: string) => void): Promise<void> {
  let lock = await takeLock(installLock)
  while ('heldBy' in lock) {
    await systemClock.wait(200)
    lock = await takeLock(installLock)
  }
  try {
    if (onPath(path)) return
    log(
      `No Redis on this machine: installing Debian's redis-tools (\`${install}\`; OPENRUN_NO_INSTALL=1 forbids it)`,
    )
    const args = ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', 'redis-tools']
    if (await succeeds(apt, args)) return
    await succeeds(apt, ['update'])
    await succeeds(apt, args)
  } finally {
    await lock.release()
  }
}

function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const child = spawn(command, args, { stdio: 'ignore', env })
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
  })
}
