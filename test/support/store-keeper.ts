import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import postgres from 'postgres'
import { takeLock } from '../../src/db/local/folder-lock.ts'
import { resetLocalData } from '../../src/db/local/data-folder.ts'
import { startLocalStores, type LocalStores } from '../../src/db/local/local-stores.ts'
import { redisServer } from '../../src/db/local/redis-server.ts'
import { migrate } from '../../src/db/migrate.ts'
import {
  keeperFolder,
  keeperSocket,
  type KeeperMessage,
  type KeeperRequest,
} from './store-keeper-messages.ts'

/*
 * One PostgreSQL for all test files of this clone that run at the moment, each in its own process. The first file
 * starts this program; every file holds a connection to it and has a database for as long. When the last has been
 * gone for a moment the program ends, so nothing is left behind whatever becomes of a test run.
 */

const idleMs = 2_000
const template = 'openrun_template'

interface Ready {
  readonly stores: LocalStores
  readonly redisBin: string
}

await main()

async function main(): Promise<void> {
  mkdirSync(keeperFolder, { recursive: true })
  const lock = await takeLock(`${keeperFolder}/keeper.lock`)
  if ('heldBy' in lock) return
  rmSync(keeperSocket, { force: true })
  const clients = new Set<Socket>()
  const ready = start((line) => clients.forEach((client) => send(client, { log: line })))
  ready.catch(() => {})
  await servedUntilIdle(clients, ready)
  await ready.then(
    ({ stores }) => stores.stop(),
    () => {},
  )
  await lock.release()
}

async function start(log: (line: string) => void): Promise<Ready> {
  const noInstall = process.env['OPENRUN_NO_INSTALL'] === '1'
  const redisBin = await redisServer({ redisBin: process.env['REDIS_BIN'], noInstall, log })
  const dataDir = `${keeperFolder}/data`
  // Nothing is taken over from earlier runs, so no earlier run can spoil this one.
  await resetLocalData(dataDir)
  const stores = await startLocalStores({
    dataDir,
    redisUrl: 'redis://unused',
    noInstall,
    durable: false,
    log,
  })
  await administer(stores, (sql) => sql`create database ${sql(template)}`)
  await migrate({ url: urlOf(stores, template) })
  return { stores, redisBin }
}

function servedUntilIdle(clients: Set<Socket>, ready: Promise<Ready>): Promise<void> {
  let databases = 0
  return new Promise((resolve) => {
    const server = createServer()
    const end = () => server.close(() => resolve())
    let idle = setTimeout(end, 5 * idleMs)
    server.on('connection', (socket) => {
      clearTimeout(idle)
      clients.add(socket)
      databases += 1
      void serve(socket, `openrun_test_${databases}`, ready).finally(() => {
        clients.delete(socket)
        if (clients.size > 0) return
        clearTimeout(idle)
        idle = setTimeout(end, idleMs)
      })
    })
    server.listen(keeperSocket)
  })
}

/** Gives a client a database until it goes away. */
async function serve(socket: Socket, database: string, ready: Promise<Ready>): Promise<void> {
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  try {
    const request = await firstLine(socket)
    if (request === undefined) return
    const { stores, redisBin } = await ready
    const { database: kind } = JSON.parse(request) as KeeperRequest
    if (kind === 'none') return send(socket, { postgresUrl: '', redisBin })
    const source = kind === 'empty' ? 'template0' : template
    await administer(stores, (sql) => sql`create database ${sql(database)} template ${sql(source)}`)
    send(socket, { postgresUrl: urlOf(stores, database), redisBin })
    await gone
    await administer(stores, (sql) => sql`drop database ${sql(database)} with (force)`)
  } catch (error) {
    // The text goes to the developer who runs the tests; a stack shows where a migration failed.
    send(socket, { error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    socket.end()
    await gone
  }
}

async function administer(stores: LocalStores, work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(stores.postgresUrl, { max: 1, onnotice: () => {} })
  try {
    await work(sql)
  } finally {
    await sql.end()
  }
}

function urlOf(stores: LocalStores, database: string): string {
  return Object.assign(new URL(stores.postgresUrl), { pathname: `/${database}` }).href
}

function firstLine(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: socket })
    lines.once('line', resolve)
    socket.once('close', () => resolve(undefined))
  })
}

function send(socket: Socket, message: KeeperMessage): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`)
}
