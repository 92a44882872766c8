import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { Link } from './link.ts'

/** What a server is started with. */
export interface ServerPlan {
  /** Of the built program. */
  readonly program: string
  readonly roles: string
  /** Where the stores are. */
  readonly stores: () => { readonly postgresUrl: string; readonly redisUrl: string }
  readonly env: Readonly<Record<string, string>>
}

const startsWithinMs = 60_000
const againAfterMs = 500

class EndedAtStart extends Error {}

/** Whatever ends this program, they end with it. */
const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/**
 * A server process with links of its own to each store, and one in front of it, whose address stays the same however
 * often the process is killed and started again.
 */
export class Server {
  readonly name: string
  readonly front: Link
  readonly postgres: Link
  readonly redis: Link
  readonly log: string[] = []
  readonly #plan: ServerPlan
  #child: ChildProcess | undefined
  #isMeantToRun = false
  #ownPort = 0
  /** Ended without having been told to. */
  readonly falls: string[] = []

  private constructor(name: string, plan: ServerPlan, links: readonly [Link, Link, Link]) {
    this.name = name
    this.#plan = plan
    ;[this.front, this.postgres, this.redis] = links
  }

  static async make(name: string, plan: ServerPlan): Promise<Server> {
    const { postgresUrl, redisUrl } = plan.stores()
    const links = [
      await Link.to(1),
      await Link.to(portOf(postgresUrl)),
      await Link.to(portOf(redisUrl)),
    ] as const
    return new Server(name, plan, links)
  }

  get url(): string {
    return `http://127.0.0.1:${this.front.port}`
  }

  /** Past the link in front of it; another one in each of its lives. */
  get ownPort(): number {
    return this.#ownPort
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /**
   * Resolves when it listens. One that ends at its start, because a store is away, is begun again, as by whatever looks after
   * the processes of a machine.
   * @param environment what this life of it has beside its own
   */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    for (const untilMs = Date.now() + startsWithinMs; ;) {
      try {
        return await this.#begin(environment)
      } catch (error) {
        const mayTryAgain = error instanceof EndedAtStart && this.#isMeantToRun && Date.now() < untilMs
        if (!mayTryAgain) throw error
        await wait(againAfterMs)
      }
    }
  }

  async #begin(environment: Readonly<Record<string, string>>): Promise<void> {
    const { program, roles, stores, env } = this.#plan
    const { postgresUrl, redisUrl } = stores()
    this.#isMeantToRun = true
    const child = spawn(process.execPath, [join(program, 'main.js')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOST: '127.0.0.1',
        PORT: '0',
        OPENRUN_ROLES: roles,
        OPENRUN_DEMO: 'false',
        OPENRUN_LOG_LEVEL: 'warn',
        DATABASE_URL: through(postgresUrl, this.postgres),
        REDIS_URL: through(redisUrl, this.redis),
        ...env,
        ...environment,
      },
    })
    this.#child = child
    children.add(child)
    child.once('exit', () => children.delete(child))
    const port = await this.#listening(child)
    this.#ownPort = port
    this.front.mend(port)
    child.once('exit', (code, signal) => {
      if (this.#isMeantToRun && this.#child === child)
        this.falls.push(`${this.name} ended by itself (${signal ?? `exit code ${code}`})`)
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Resolves when it is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#isMeantToRun = false
    const child = this.#child
    if (child === undefined || !this.isRunning) return
    const exited = once(child, 'exit')
    child.kill(signal)
    if (signal !== 'SIGKILL') child.kill('SIGCONT')
    await exited
  }

  async close(): Promise<void> {
    await this.end('SIGKILL')
    for (const link of [this.front, this.postgres, this.redis]) link.close()
  }

  async #listening(child: ChildProcess): Promise<number> {
    if (child.stdout === null || child.stderr === null) throw new Error('the server has no output')
    const keep = (line: string): void => {
      this.log.push(line)
      if (this.log.length > 2_000) this.log.splice(0, 1_000)
    }
    createInterface({ input: child.stderr }).on('line', keep)
    const lines = createInterface({ input: child.stdout })
    return await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${this.name} does not listen`)), startsWithinMs)
      child.once('exit', (code) => {
        clearTimeout(late)
        reject(
          new EndedAtStart(`${this.name} ended with ${code} before it listened: ${this.log.at(-1) ?? ''}`),
        )
      })
      lines.on('line', (line) => {
        keep(line)
        const port = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]
        if (port === undefined && !/ works as /.test(line)) return
        clearTimeout(late)
        // Where nobody can call there is nothing to call through.
        resolve(Number(port ?? 1))
      })
    })
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

function through(url: string, link: Link): string {
  return Object.assign(new URL(url), { port: String(link.port) }).href
}
