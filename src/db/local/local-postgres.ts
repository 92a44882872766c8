import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { StartError } from '../../start-error.ts'
import { onFreePort, PortTaken } from './free-port.ts'
import { endLeftover } from './leftover.ts'
import { postgresBinaries, type PostgresBinaries } from './postgres-binaries.ts'
import type { StoreAccount } from './store-account.ts'
import { StoreProcess } from './store-process.ts'

export interface LocalPostgresOptions {
  /** Existing folder, reachable for the account; the database goes into `postgres` inside it. */
  readonly folder: string
  readonly password: string
  /** False: what is stored survives the death of processes only, not that of the machine. For tests. */
  readonly durable: boolean
  readonly account: StoreAccount | undefined
  /** Where programs are copied to that the account cannot reach otherwise. */
  readonly stateDir: string
  readonly packageDir?: string | undefined
}

export interface LocalPostgres {
  /** Of the database `openrun`, with user and password. */
  readonly url: string
  readonly port: number
  readonly process: StoreProcess
  stop(): Promise<void>
}

const user = 'openrun'
const signals = { stopSignal: 'SIGINT', forceSignal: 'SIGQUIT' } as const
/** What is committed still survives the death of every process, only not that of the machine. */
const fast = ['fsync=off', 'full_page_writes=off']

/** Starts PostgreSQL, after creating its cluster at the first start. The caller holds the folder's lock. */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const binaries = await postgresBinaries(options)
  const data = join(options.folder, 'postgres')
  const pidFile = join(data, 'postmaster.pid')
  await endLeftover({ pidFile, folder: data, program: 'postgres', ...signals })
  if (!existsSync(data)) await createCluster(data, binaries, options)
  await mustBeSameMajor(data, binaries)
  const { server, port } = await onFreePort(async (port) => {
    return { port, server: await startServer({ data, port, binaries, options }) }
  })
  const at = (database: string) => `postgres://${user}:${options.password}@127.0.0.1:${port}/${database}`
  try {
    await createDatabase(at('postgres'))
  } catch (cause) {
    await server.stop()
    throw new StartError(`The local PostgreSQL cannot be used: ${String(cause)}`, { cause })
  }
  return { url: at('openrun'), port, process: server, stop: () => server.stop() }
}

/** Made under another name and renamed when complete, so that a start that was cut off leaves no half a cluster. */
async function createCluster(data: string, binaries: PostgresBinaries, options: LocalPostgresOptions) {
  const draft = `${data}.new`
  const passwordFile = join(options.folder, 'postgres.password')
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft)
  await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 })
  for (const path of options.account ? [draft, passwordFile] : []) {
    await chown(path, options.account?.uid ?? 0, options.account?.gid ?? 0)
  }
  await chmod(draft, 0o700)
  const initdb = new StoreProcess({
    name: 'PostgreSQL',
    command: binaries.initdb,
    args: [
      `--pgdata=${draft}`,
      `--username=${user}`,
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      // Under the locale C, letters outside ASCII are no letters, and a search for Korean words finds nothing.
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--no-instructions',
      ...(options.durable ? [] : ['--no-sync']),
    ],
    folder: draft,
    logFile: join(options.folder, 'postgres.log'),
    account: options.account,
    ...signals,
  })
  const { code } = await initdb.finish()
  await rm(passwordFile)
  if (code !== 0) throw new StartError(`PostgreSQL could not create its files: ${initdb.lastLine()}`)
  await rename(draft, data)
}

async function mustBeSameMajor(data: string, { version }: PostgresBinaries): Promise<void> {
  const made = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim()
  const [major] = version.split('.')
  if (made === major) return
  throw new StartError(
    `The data folder was made by PostgreSQL ${made} and this is ${major}: dump and restore it, or begin anew with --reset`,
  )
}

interface ServerOptions {
  readonly data: string
  readonly port: number
  readonly binaries: PostgresBinaries
  readonly options: LocalPostgresOptions
}

async function startServer({ data, port, binaries, options }: ServerOptions): Promise<StoreProcess> {
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    ...(options.durable ? [] : fast),
  ]
  const server = new StoreProcess({
    name: 'PostgreSQL',
    command: binaries.postgres,
    args: ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    folder: data,
    logFile: join(options.folder, 'postgres.log'),
    account: options.account,
    ...signals,
  })
  try {
    await server.untilReady(() => isReady(data, server.pid))
    return server
  } catch (error) {
    if (/Address already in use/.test(server.output())) throw new PortTaken()
    throw error
  }
}

/** The server writes its state into the last line of this file. */
async function isReady(data: string, pid: number): Promise<boolean> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const lines = text.split('\n')
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready'
}

async function createDatabase(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 })
  try {
    const found = await sql`select 1 from pg_database where datname = 'openrun'`
    if (found.length === 0) await sql`create database openrun`
  } finally {
    await sql.end()
  }
}
