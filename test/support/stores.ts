import { once } from 'node:events'
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import postgres from 'postgres'
import { startLocalRedis, type LocalRedis } from '../../src/db/local/local-redis.ts'
import { keeperSocket, type KeeperMessage, type KeeperRequest } from './store-keeper-messages.ts'
import { programBeside, startUntraced } from './untraced-process.ts'

/** The part of a tap test that is needed here. */
export interface Scope {
  teardown(work: () => unknown): void
}

export interface Stores {
  /** Of a database that is the caller's alone; migrated unless asked otherwise. */
  readonly postgresUrl: string
  readonly redisUrl: string
  /** The caller's own server: may be flushed, stopped, killed and restarted. */
  readonly redis: TestRedis
}

/**
 * PostgreSQL and Redis for one test file; call it once, before anything that connects. They are gone at the end of
 * the test `t`, which fails when it leaves a connection to PostgreSQL open.
 */
export async function useStores(t: Scope): Promise<Stores> {
  const { postgresUrl, redisBin } = await useDatabase(t, { database: 'migrated' })
  const redis = await TestRedis.start({ binary: redisBin, appendOnly: false })
  t.teardown(() => redis.end())
  return { postgresUrl, redisUrl: redis.url, redis }
}

/** PostgreSQL alone. `empty`: without tables. `patienceMs`: for sessions that are being closed. */
export async function usePostgres(
  t: Scope,
  options: { empty?: boolean; patienceMs?: number } = {},
): Promise<{ postgresUrl: string }> {
  return useDatabase(t, { database: options.empty ? 'empty' : 'migrated' }, options.patienceMs)
}

/** One more Redis of one's own; with `appendOnly` its content survives a restart, but for the last second. */
export async function useOwnRedis(t: Scope, options: { appendOnly?: boolean } = {}): Promise<TestRedis> {
  const redis = await TestRedis.start({
    binary: await redisBinary(),
    appendOnly: options.appendOnly ?? false,
  })
  t.teardown(() => redis.end())
  return redis
}

/** The server that tests run. */
export async function redisBinary(): Promise<string> {
  const keeper = await connectKeeper({ database: 'none' })
  keeper.socket.destroy()
  return keeper.redisBin
}

/** A Redis on a port and in a folder that stay the same over restarts. */
export class TestRedis {
  readonly #folder: string
  readonly #binary: string
  readonly #appendOnly: boolean
  #server: LocalRedis

  private constructor(server: LocalRedis, options: { folder: string; binary: string; appendOnly: boolean }) {
    this.#server = server
    this.#folder = options.folder
    this.#binary = options.binary
    this.#appendOnly = options.appendOnly
  }

  static async start(options: { binary: string; appendOnly: boolean }): Promise<TestRedis> {
    const folder = await mkdtemp(join(tmpdir(), 'openrun-redis-'))
    return new TestRedis(await startLocalRedis({ ...options, folder }), { ...options, folder })
  }

  get url(): string {
    return this.#server.url
  }

  get port(): number {
    return this.#server.port
  }

  get pid(): number {
    return this.#server.process.pid
  }

  /** Sends a signal, such as SIGSTOP and SIGCONT for a server that hangs for a while. */
  signal(signal: NodeJS.Signals): void {
    this.#server.process.signal(signal)
  }

  /** Resolves when the process is gone; SIGKILL by default, as in a power cut. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.signal(signal)
    await this.#server.process.finish()
  }

  /** Remembers its append-only file as it is now, for a restart after a power cut: what was synced later is lost. */
  async keepFile(): Promise<void> {
    await rm(join(this.#folder, keptFile), { recursive: true, force: true })
    await cp(join(this.#folder, appendOnlyFile), join(this.#folder, keptFile), { recursive: true })
  }

  /** Starts again after `kill`, on the same port, with its append-only file, with what was kept of it, or without. */
  async restart({ file = 'whole' }: { file?: 'whole' | 'kept' | 'lost' } = {}): Promise<void> {
    const { port } = this.#server
    if (file !== 'whole') await rm(join(this.#folder, appendOnlyFile), { recursive: true, force: true })
    if (file === 'kept') await rename(join(this.#folder, keptFile), join(this.#folder, appendOnlyFile))
    const options = { folder: this.#folder, binary: this.#binary, appendOnly: this.#appendOnly, port }
    this.#server = await startLocalRedis(options)
  }

  async end(): Promise<void> {
    this.signal('SIGCONT')
    await this.#server.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Beside its log, in a folder of its own. */
const appendOnlyFile = join('redis', 'appendonlydir')
const keptFile = 'kept'

interface Keeper {
  readonly socket: Socket
  readonly postgresUrl: string
  readonly redisBin: string
}

async function useDatabase(
  t: Scope,
  request: KeeperRequest,
  patienceMs = 60_000,
): Promise<Omit<Keeper, 'socket'>> {
  const { socket, postgresUrl, redisBin } = await connectKeeper(request)
  t.teardown(async () => {
    try {
      await mustHaveNoSessions(postgresUrl, patienceMs)
    } finally {
      socket.destroy()
    }
  })
  return { postgresUrl, redisBin }
}

/** Finds the keeper, or starts it; see store-keeper.ts. */
async function connectKeeper(request: KeeperRequest): Promise<Keeper> {
  for (;;) {
    const found = await askKeeper(request)
    if (found) return found
    const program = programBeside(import.meta.url, 'store-keeper')
    const { PATH, HOME, REDIS_BIN, OPENRUN_NO_INSTALL } = process.env
    const env = { PATH, HOME, REDIS_BIN, OPENRUN_NO_INSTALL }
    const keeper = startUntraced(program, [], { detached: true, stdio: 'ignore', env })
    const gone = once(keeper, 'exit')
    while (keeper.exitCode === null && keeper.signalCode === null) {
      const started = await askKeeper(request)
      keeper.unref()
      if (started) return started
      // Until it listens, or ends because another one does.
      await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 20))])
    }
  }
}

/** Undefined when nobody listens, or it was just about to end. */
function askKeeper(request: KeeperRequest): Promise<Keeper | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(keeperSocket)
    socket.on('error', () => {})
    socket.once('close', () => resolve(undefined))
    socket.once('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    const lines = createInterface({ input: socket })
    lines.on('error', () => {})
    lines.on('line', (line) => {
      const message = JSON.parse(line) as KeeperMessage
      if ('log' in message) return void process.stderr.write(`${message.log}\n`)
      if ('error' in message)
        return reject(new Error(`the stores for the tests did not start: ${message.error}`))
      socket.unref()
      resolve({ socket, ...message })
    })
  })
}

/** A session that is being closed needs a moment to disappear; one that stays was forgotten. */
async function mustHaveNoSessions(url: string, patienceMs: number): Promise<void> {
  const sql = postgres(url, { max: 1 })
  try {
    const deadline = Date.now() + patienceMs
    for (;;) {
      const open = await sql<{ application_name: string; query: string }[]>`
        select application_name, query from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`
      if (open.length === 0) return
      if (Date.now() > deadline) {
        throw new Error(`left open: ${open.map((s) => `${s.application_name}: ${s.query}`).join('; ')}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  } finally {
    await sql.end()
  }
}
