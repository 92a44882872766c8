import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const startMsMax = 60_000
/** What the README promises a stop to take, and some more to see how late it is. */
const stopMsMax = 10_000

/** A clone of what is committed, as somebody has it who has just fetched it, and everything it writes. */
export class CleanClone {
  readonly #folder: string
  readonly #clone: string

  private constructor(folder: string) {
    this.#folder = folder
    this.#clone = join(folder, 'openrun')
  }

  static async make(): Promise<CleanClone> {
    const folder = await mkdtemp(join(tmpdir(), 'openrun-start-'))
    // PostgreSQL runs under an account of its own when this is root.
    await chmod(folder, 0o755)
    const clone = new CleanClone(folder)
    execFileSync('git', ['clone', '--quiet', '--no-hardlinks', repository, clone.#clone], { stdio: 'ignore' })
    return clone
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  get commit(): string {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: this.#clone,
      encoding: 'utf8',
    }).trim()
  }

  /** `npm ci`, in milliseconds. */
  async install(): Promise<number> {
    const beganMs = performance.now()
    const child = spawn('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: this.#clone,
      env: cleanEnvironment(),
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`npm ci ended with ${code}`)
    return performance.now() - beganMs
  }

  /** `npm start` on a folder of data that is not there yet. */
  start(name: string): StartedClone {
    const data = join(this.#folder, name)
    return new StartedClone(this.#clone, { ...cleanEnvironment(), OPENRUN_DATA_DIR: data, PORT: '0' })
  }
}

/** What somebody has in a terminal, without what the bench itself was started with. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours =
    /^(OPENRUN_|npm_package_|npm_lifecycle_|DATABASE_URL$|REDIS_URL$|PORT$|HOST$|INIT_CWD$|NODE_OPTIONS$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
}

/** A server that npm has started. */
export class StartedClone {
  readonly #clone: string
  readonly #npm: ChildProcess
  readonly #beganMs = performance.now()
  readonly #listens: Promise<number>
  readonly #lines: string[] = []

  constructor(clone: string, env: NodeJS.ProcessEnv) {
    this.#clone = clone
    this.#npm = spawn('npm', ['start'], { cwd: clone, env, stdio: ['ignore', 'pipe', 'inherit'] })
    this.#listens = this.#untilListening()
  }

  /** Milliseconds from the command until `path` is answered with 200, and what was answered. */
  async answers(path: string): Promise<{ afterMs: number; body: unknown }> {
    const url = `http://127.0.0.1:${await this.#listens}${path}`
    for (;;) {
      const response = await fetch(url).catch(() => undefined)
      const afterMs = performance.now() - this.#beganMs
      const body: unknown = await response?.json()
      if (response?.status === 200) return { afterMs, body }
      if (afterMs > startMsMax) throw new Error(`${path} answers ${response?.status}`)
      await wait(10)
    }
  }

  get server(): number {
    return serverIn(this.#clone)
  }

  /** Tells the server to stop, as Ctrl-C does, and waits for npm, which ends as the server did. */
  async interrupt(): Promise<{ code: number | null; afterMs: number }> {
    const beganMs = performance.now()
    const exited = once(this.#npm, 'exit') as Promise<[number | null]>
    process.kill(this.server, 'SIGINT')
    const patience = AbortSignal.timeout(stopMsMax)
    const [code] = await Promise.race([exited, once(patience, 'abort').then((): [null] => [null])])
    return { code, afterMs: performance.now() - beganMs }
  }

  /** For whatever could not be stopped. */
  async end(): Promise<void> {
    if (this.#npm.exitCode !== null || this.#npm.signalCode !== null) return
    const exited = once(this.#npm, 'exit')
    const server = findServer(this.#clone)
    // The stores end with the server, which gets the time to stop them.
    if (server !== undefined) process.kill(server, 'SIGTERM')
    else this.#npm.kill('SIGTERM')
    await Promise.race([exited, wait(stopMsMax)])
  }

  async #untilListening(): Promise<number> {
    const { stdout } = this.#npm
    if (stdout === null) throw new Error('npm has no output')
    return await new Promise((resolve, reject) => {
      this.#npm.once('exit', (code) =>
        reject(new Error(`npm start ended with ${code}: ${this.#lines.slice(-5).join(' ')}`)),
      )
      // Read to the end: what nobody reads would in the end stand still.
      createInterface({ input: stdout }).on('line', (line) => {
        this.#lines.push(line)
        const port = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]
        if (port !== undefined) resolve(Number(port))
      })
    })
  }
}

function serverIn(folder: string): number {
  const pid = findServer(folder)
  if (pid === undefined) throw new Error('the server is not there')
  return pid
}

/** The one process of Node that runs the server in this folder; npm and its shell stand above it. */
function findServer(folder: string): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const found = pids.find((pid) => {
    try {
      const [program = '', ...rest] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      const isServer = /(^|\/)node$/.test(program) && rest.includes('build/main.js')
      return isServer && readlinkSync(`/proc/${pid}/cwd`) === folder
    } catch {
      return false
    }
  })
  return found === undefined ? undefined : Number(found)
}
