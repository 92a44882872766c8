import { openDataFolder, stateDirOfMachine, type DataFolder } from './data-folder.ts'
import { startLocalPostgres, type LocalPostgres } from './local-postgres.ts'
import { startLocalRedis, type LocalRedis } from './local-redis.ts'
import { redisServer } from './redis-server.ts'

export interface LocalStoresOptions {
  readonly dataDir: string
  /** Addresses of stores that exist already; those are used as they are and not started. */
  readonly databaseUrl?: string | undefined
  readonly redisUrl?: string | undefined
  readonly redisBin?: string | undefined
  /** Forbids to install Redis and to create a user. */
  readonly noInstall: boolean
  /** False: what is stored survives the death of processes only, not that of the machine. For tests. */
  readonly durable: boolean
  /** Told what takes time or changes the machine, a line each. */
  readonly log: (line: string) => void
  readonly stateDir?: string | undefined
  /** PostgreSQL's package; found by itself when absent. */
  readonly packageDir?: string | undefined
}

export interface LocalStores {
  readonly postgresUrl: string
  readonly redisUrl: string
  /** Undefined for a store that was not started here. */
  readonly postgres: { readonly pid: number } | undefined
  readonly redis: { readonly pid: number } | undefined
  /** Resolves with a line when a store started here ends without having been asked to; else never. */
  readonly failed: Promise<string>
  stop(): Promise<void>
}

/**
 * Starts the stores whose address is not given, on free ports of 127.0.0.1, with their files in the data folder.
 * They end with this process, whatever ends it. Throws `StartError`.
 */
export async function startLocalStores(options: LocalStoresOptions): Promise<LocalStores> {
  const { databaseUrl, redisUrl } = options
  if (databaseUrl !== undefined && redisUrl !== undefined) return given(databaseUrl, redisUrl)
  const stateDir = options.stateDir ?? stateDirOfMachine
  // First the one that may be missing, so that a refusal costs nothing.
  const binary = redisUrl === undefined ? await redisServer(options) : ''
  const folder = await openDataFolder({ ...options, stateDir })
  const { home, password, account } = folder
  const starting = await Promise.allSettled([
    databaseUrl === undefined
      ? startLocalPostgres({ ...options, stateDir, folder: home, password, account })
      : undefined,
    redisUrl === undefined
      ? startLocalRedis({ folder: home, binary, appendOnly: true, password, account })
      : undefined,
  ])
  const [postgres, redis] = starting.map((start) => (start.status === 'fulfilled' ? start.value : undefined))
  const stores = assemble({ folder, postgres, redis, databaseUrl, redisUrl })
  const failure = starting.find((start) => start.status === 'rejected')
  if (!failure) return stores
  await stores.stop()
  throw failure.reason
}

interface Parts {
  readonly folder: DataFolder
  readonly postgres: LocalPostgres | undefined
  readonly redis: LocalRedis | undefined
  readonly databaseUrl: string | undefined
  readonly redisUrl: string | undefined
}

function assemble({ folder, postgres, redis, databaseUrl, redisUrl }: Parts): LocalStores {
  const running = [postgres, redis].filter((store) => store !== undefined)
  let stopping = false
  const failed = new Promise<string>((resolve) => {
    for (const { process } of running) {
      void process.exited.then(({ code, signal }) => {
        if (!stopping) resolve(`${process.name} ended by itself (${signal ?? `exit code ${code}`})`)
      })
    }
  })
  return {
    postgresUrl: postgres?.url ?? databaseUrl ?? '',
    redisUrl: redis?.url ?? redisUrl ?? '',
    postgres: postgres && { pid: postgres.process.pid },
    redis: redis && { pid: redis.process.pid },
    failed,
    stop: async () => {
      stopping = true
      await Promise.all(running.map((store) => store.stop()))
      await folder.release()
    },
  }
}

function given(postgresUrl: string, redisUrl: string): LocalStores {
  return {
    postgresUrl,
    redisUrl,
    postgres: undefined,
    redis: undefined,
    failed: new Promise(() => {}),
    stop: async () => {},
  }
}
