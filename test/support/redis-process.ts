import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { onFreePort, PortTaken } from '../../src/db/local/free-port.ts'
import { isReady } from '../../src/db/local/local-redis.ts'
import { StoreProcess } from '../../src/db/local/store-process.ts'

interface Plan {
  readonly binary: string
  /** A server looks at the name it is called by to know what it is. */
  readonly program: 'redis-server' | 'redis-sentinel'
  /** Its configuration, but for port and folder. */
  readonly lines: (port: number) => readonly string[]
  readonly password?: string | undefined
}

/** A server of Redis, or a Sentinel, that is one of several. Ends with this process, whatever ends it. */
export class RedisProcess {
  readonly port: number
  /** A connection to it, for looking and for steering. */
  readonly commands: Redis
  readonly #folder: string
  readonly #plan: Plan
  #process: StoreProcess
  #isRunning = true

  private constructor(parts: { plan: Plan; folder: string; port: number; process: StoreProcess }) {
    this.port = parts.port
    this.#folder = parts.folder
    this.#plan = parts.plan
    this.#process = parts.process
    this.commands = connectionTo(parts.plan, parts.port)
  }

  static async start(plan: Plan): Promise<RedisProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'openrun-redis-'))
    await mkdir(join(folder, 'data'))
    await symlink(plan.binary, join(folder, plan.program))
    try {
      return await onFreePort(async (port) => {
        const process = await begin(plan, folder, port)
        return new RedisProcess({ plan, folder, port, process })
      })
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  get pid(): number {
    return this.#process.pid
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal)
  }

  /** Resolves when it is gone; it was given no time to write anything down. */
  async kill(): Promise<void> {
    this.#isRunning = false
    this.signal('SIGKILL')
    await this.#process.finish()
  }

  /** Starts again after `kill`, on the same port, with what it wrote down. */
  async restart(): Promise<void> {
    this.#process = await begin(this.#plan, this.#folder, this.port)
    this.#isRunning = true
  }

  async end(): Promise<void> {
    this.commands.disconnect()
    await this.#process.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Those that could not all be started are ended. */
export async function startTogether(
  starts: readonly (() => Promise<RedisProcess>)[],
): Promise<RedisProcess[]> {
  const started = await Promise.allSettled(starts.map((start) => start()))
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failure = started.find((one) => one.status === 'rejected')
  if (failure === undefined) return running
  await Promise.all(running.map((one) => one.end()))
  throw failure.reason
}

async function begin(plan: Plan, folder: string, port: number): Promise<StoreProcess> {
  const config = join(folder, 'redis.conf')
  const lines = [`port ${port}`, 'bind 127.0.0.1', `dir ${join(folder, 'data')}`, ...plan.lines(port)]
  // A Sentinel, and a server that was told to follow another, writes what it has learnt into this file.
  await writeFile(config, `${lines.join('\n')}\n`)
  const process = new StoreProcess({
    name: plan.program,
    command: join(folder, plan.program),
    args: [config],
    folder,
    logFile: join(folder, 'log'),
    account: undefined,
    // It may be stopped, and would not heed another signal then.
    stopSignal: 'SIGKILL',
    forceSignal: 'SIGKILL',
  })
  try {
    await process.untilReady(() => isReady(process, port, plan.password))
  } catch (error) {
    if (/Address already in use/.test(process.output())) throw new PortTaken()
    throw error
  }
  return process
}

function connectionTo({ password }: Plan, port: number): Redis {
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    retryStrategy: () => 20,
  })
  redis.on('error', () => {})
  return redis
}
