import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from './clock.ts'
import { compose, type App } from './compose.ts'
import { parseConfig, type Config } from './config.ts'
import { helpText } from './config-help.ts'
import { resetLocalData } from './db/local/data-folder.ts'
import { startLocalStores, type LocalStores } from './db/local/local-stores.ts'
import { migrate } from './db/migrate.ts'
import { hostsOf } from './db/redis-address.ts'
import { addOrganiserKey, ensureFirstOrganiser, firstOrganiser } from './domain/accounts/organiser-key.ts'
import { createDemo } from './domain/demo.ts'
import { randomIds } from './ids.ts'
import { createLog, type Log } from './log.ts'
import { StartError } from './start-error.ts'

/** The whole stop, from the signal on; what is not done by then is left to the next start. */
const stopWithinMs = 4500

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Brings a process up: settings, stores, schema, services. Rejects with a StartError that says what to do. */
export async function start(from: { env: NodeJS.ProcessEnv; argv: readonly string[] }): Promise<void> {
  const parsed = parseConfig({ env: from.env, argv: [...from.argv] })
  if (parsed.help) return say(helpText())
  const { config, warnings } = parsed
  for (const warning of warnings) say(warning)
  const log = createLog({ level: config.logLevel })
  if (config.reset) await resetLocalData(config.dataDir)
  const stores = await startLocalStores({ ...config, durable: true, log: say })
  const stopping = stopOnSignal(log)
  try {
    const app = await startApp(config, stores, log)
    stopping.begin(app, stores)
    void stores.failed.then((line) => stopping.now(line))
  } catch (error) {
    await stores.stop()
    throw error
  }
}

async function startApp(config: Config, stores: LocalStores, log: Log): Promise<App> {
  await migrate({ url: stores.postgresUrl }).catch(unreachable(stores.postgresUrl))
  const app = await compose({
    config,
    postgresUrl: stores.postgresUrl,
    redisUrl: stores.redisUrl,
    version,
    clock: systemClock,
    ids: randomIds,
    random: Math.random,
    log,
  }).catch(unreachable(stores.redisUrl))
  await welcome(app, config)
  await app.run().catch(async (error: unknown) => {
    await app.stop()
    throw error
  })
  if (app.server !== undefined) say(`Openrun ${version} listens on http://127.0.0.1:${app.server.port}`)
  else say(`Openrun ${version} works as ${config.roles.join(', ')}`)
  return app
}

/**
 * The first start makes an organiser, whose key is shown once, and something to sell. A start that was cut off in the
 * middle of this is taken up where it was.
 */
async function welcome(app: App, config: Config): Promise<void> {
  const first = await ensureFirstOrganiser(app.sql, randomIds)
  const organiserId = first?.organiserId ?? (await firstOrganiser(app.sql))
  if (organiserId === undefined) return
  const isLocal = config.databaseUrl === undefined
  const isKeyLost = isLocal && !hasKey(config)
  const shown = first?.key ?? (isKeyLost ? await addOrganiserKey(app.sql, organiserId) : undefined)
  if (shown !== undefined) say(`Organiser key, shown only now: ${shown}`)
  if (shown !== undefined && isLocal) await keepKey(config, shown)
  if (!config.demo) return
  const { sql, announceSale } = app
  const parts = { sql, clock: systemClock, payBySecondsDefault: config.payBySeconds, announce: announceSale }
  const made = await createDemo(parts, { organiserId })
  if (made.length > 0) say(`Demo sales: ${made.join(', ')}`)
}

const keyFile = (config: Config): string => join(config.dataDir, 'organiser-key')
const hasKey = (config: Config): boolean => existsSync(keyFile(config))

/** Beside the local data, for `npm run demo`; readable by its owner alone. */
async function keepKey(config: Config, key: string): Promise<void> {
  await mkdir(config.dataDir, { recursive: true })
  await writeFile(keyFile(config), `${key}\n`, { mode: 0o600 })
  await chmod(keyFile(config), 0o600)
}

interface Stopping {
  begin(app: App, stores: LocalStores): void
  /** Stops because of a failure. */
  now(reason: string): void
}

function stopOnSignal(log: Log): Stopping {
  let running: { app: App; stores: LocalStores } | undefined
  let stopping = false
  const stop = async (code: number): Promise<void> => {
    if (stopping) return
    stopping = true
    setTimeout(() => {
      log.warn('Not everything was let go of in time; the process ends all the same')
      process.exit(code)
    }, stopWithinMs).unref()
    try {
      await running?.app.stop()
    } catch (error) {
      log.error({ err: error }, 'stopping')
    }
    await running?.stores.stop()
    process.exit(code)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0))
  return {
    begin: (app, stores) => {
      running = { app, stores }
    },
    now: (reason) => {
      process.stderr.write(`${reason}\n`)
      void stop(1)
    },
  }
}

function unreachable(url: string): (error: unknown) => never {
  const name = url.startsWith('redis') ? 'Redis' : 'PostgreSQL'
  return (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const isStoreError =
      code !== '' ||
      (error instanceof Error && /Connection is closed|max retries|sentinels/.test(error.message))
    if (error instanceof StartError || !isStoreError) throw error
    throw new StartError(`${name} at ${hostsOf(url)} cannot be used: ${(error as Error).message || code}`, {
      cause: error,
    })
  }
}

const version = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version
