import { chown, mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import { onFreePort, PortTaken } from './free-port.ts'
import { endLeftover } from './leftover.ts'
import { needsName } from './redis-server.ts'
import { canReach, type StoreAccount } from './store-account.ts'
import { StoreProcess } from './store-process.ts'

export interface LocalRedisOptions {
  /** Existing folder, reachable for the account; the files go into `redis` inside it. */
  readonly folder: string
  /** The server binary, from `redisServer`. */
  readonly binary: string
  /** Keeps every write in a file that is flushed once a second; otherwise nothing is kept. */
  readonly appendOnly: boolean
  /** Letters and digits; without it everybody on this machine may use the server. */
  readonly password?: string | undefined
  /** Any free one when absent. */
  readonly port?: number | undefined
  readonly account?: StoreAccount | undefined
}

export interface LocalRedis {
  readonly url: string
  readonly port: number
  readonly process: StoreProcess
  stop(): Promise<void>
}

const signals = { stopSignal: 'SIGTERM', forceSignal: 'SIGKILL' } as const

/** Starts Redis on what its folder holds. The caller holds the folder's lock. */
export async function startLocalRedis(options: LocalRedisOptions): Promise<LocalRedis> {
  const folder = join(options.folder, 'redis')
  // Redis runs as root too: better that than to refuse a binary which only root can reach.
  const account = canReach(options.binary, options.account) ? options.account : undefined
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const program = basename(await realpath(options.binary))
  await endLeftover({ pidFile: join(folder, 'redis.pid'), folder, program, ...signals })
  const command = await commandOf(options.binary, folder)
  const start = async (port: number): Promise<LocalRedis> => {
    const config = join(folder, 'redis.conf')
    await writeFile(config, configuration({ ...options, folder, port }), { mode: 0o600 })
    for (const path of account ? [folder, config] : [])
      await chown(path, account?.uid ?? 0, account?.gid ?? 0)
    const logFile = join(options.folder, 'redis.log')
    const server = new StoreProcess({
      name: 'Redis',
      command,
      args: [config],
      folder,
      logFile,
      account,
      ...signals,
    })
    try {
      await server.untilReady(() => isReady(server, port, options.password))
    } catch (error) {
      if (options.port === undefined && /Address already in use/.test(server.output())) throw new PortTaken()
      throw error
    }
    const login = options.password ? `:${options.password}@` : ''
    return { url: `redis://${login}127.0.0.1:${port}`, port, process: server, stop: () => server.stop() }
  }
  return options.port === undefined ? onFreePort(start) : start(options.port)
}

async function commandOf(binary: string, folder: string): Promise<string> {
  if (!needsName(binary)) return binary
  const alias = join(folder, 'redis-server')
  await rm(alias, { force: true })
  await symlink(binary, alias)
  return alias
}

function configuration(options: LocalRedisOptions & { port: number }): string {
  const quoted = (text: string) => JSON.stringify(text)
  const lines = [
    'bind 127.0.0.1',
    `port ${options.port}`,
    'daemonize no',
    `dir ${quoted(options.folder)}`,
    `pidfile ${quoted(join(options.folder, 'redis.pid'))}`,
    'save ""',
    `appendonly ${options.appendOnly ? 'yes' : 'no'}`,
    'appendfsync everysec',
    // Losing a key silently would break promises; running out of memory must be an error.
    'maxmemory-policy noeviction',
    ...(options.password ? [`requirepass ${options.password}`] : []),
  ]
  return `${lines.join('\n')}\n`
}

/** Whether this process answers a PING there, and no other that has the port; while it loads its files it says so instead. */
export async function isReady({ pid }: StoreProcess, port: number, password?: string): Promise<boolean> {
  const answer = await answerOf(port, password)
  return answer.includes('+PONG') && new RegExp(`^process_id:${pid}\r$`, 'm').test(answer)
}

const answerTimeoutMs = 1_000

function answerOf(port: number, password: string | undefined): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('utf8')
    const login = password ? `AUTH ${password}\r\n` : ''
    socket.once('connect', () => socket.end(`${login}PING\r\nINFO server\r\n`))
    socket.on('data', (text: string) => (answer += text))
    socket.on('error', () => {})
    // Whoever else has the port may never say a word.
    socket.setTimeout(answerTimeoutMs, () => socket.destroy())
    socket.once('close', () => resolve(answer))
  })
}
