import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import type { LocalStoresOptions } from '../../src/db/local/local-stores.ts'
import { processStart } from '../../src/db/local/process-start.ts'
import type { StoresProcessAnswer } from './local-stores-process.ts'
import type { Scope } from './stores.ts'
import { programBeside, startUntraced } from './untraced-process.ts'
import { until } from './until.ts'

export const isRoot = process.getuid?.() === 0
export const program = programBeside(import.meta.url, 'local-stores-process')

type Options = LocalStoresOptions & { readonly parent: string }
type User = { readonly uid: number; readonly gid: number }
type Addresses = { readonly postgresUrl: string; readonly redisUrl: string }

/** A data folder that does not exist yet, in a folder of its own that goes away with the test. */
export async function newOptions(t: Scope): Promise<Options> {
  const parent = await mkdtemp(join(tmpdir(), 'openrun-local-'))
  await chmod(parent, 0o755)
  await mkdir(join(parent, 'tmp'))
  await chmod(join(parent, 'tmp'), 0o777)
  t.teardown(() => rm(parent, { recursive: true, force: true }))
  return { parent, dataDir: join(parent, 'data'), noInstall: false, durable: false, log: () => {} }
}

/** Local stores kept by a process of their own, for tests that kill it. */
export async function startProcess(t: Scope, options: Options, user?: User) {
  const { child, answer, nextLine } = await launch(options, user)
  t.teardown(async () => {
    child.kill('SIGKILL')
    if (!('error' in answer))
      await until('no store is left', () => !answer.pids.some((pid) => processStart(pid)))
  })
  if ('error' in answer) throw new Error(answer.error)
  return { child, answer, nextLine }
}

export async function launch(options: Options, user?: User) {
  const child = startUntraced(program, [JSON.stringify(options)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], TMPDIR: join(options.parent, 'tmp') },
    ...user,
  })
  if (!child.stdout) throw new Error('no output')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async () => String((await lines.next()).value)
  return { child, nextLine, answer: JSON.parse(await nextLine()) as StoresProcessAnswer }
}

/** Where the stores' folders of a data folder lie. */
export function homeOf(options: { readonly dataDir: string }): string {
  const marker = readFileSync(join(options.dataDir, 'openrun.json'), 'utf8')
  return (JSON.parse(marker) as { elsewhere?: string }).elsewhere ?? options.dataDir
}

/** Writes a word into both stores, durably. */
export async function write({ postgresUrl, redisUrl }: Addresses, word: string): Promise<void> {
  const sql = postgres(postgresUrl, { max: 1, onnotice: () => {} })
  await sql`create table if not exists words (word text)`
  await sql`insert into words (word) values (${word})`
  await sql.end()
  const redis = new Redis(redisUrl)
  await redis.set('word', word)
  await redis.quit()
}

/** What `write` wrote last. */
export async function read({ postgresUrl, redisUrl }: Addresses) {
  const sql = postgres(postgresUrl, { max: 1 })
  const rows = await sql<{ word: string }[]>`select word from words`.catch(() => [])
  await sql.end()
  const redis = new Redis(redisUrl)
  const word = await redis.get('word')
  await redis.quit()
  return { postgres: rows.at(-1)?.word, redis: word }
}
