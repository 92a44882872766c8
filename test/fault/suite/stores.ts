import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalStores, type LocalStores } from '../../../src/db/local/local-stores.ts'
import { redisServer } from '../../../src/db/local/redis-server.ts'
import { TestRedis } from '../../support/stores.ts'

const noInstall = process.env['OPENRUN_NO_INSTALL'] === '1'

/** PostgreSQL and Redis that may be killed and started again on what they have kept. */
export class BreakableStores {
  readonly folder: string
  readonly redis: TestRedis
  #postgres: LocalStores

  private constructor(folder: string, postgres: LocalStores, redis: TestRedis) {
    this.folder = folder
    this.redis = redis
    this.#postgres = postgres
  }

  static async start(options: { log: (line: string) => void }): Promise<BreakableStores> {
    const folder = await mkdtemp(join(tmpdir(), 'openrun-faults-'))
    // PostgreSQL runs under an account of its own when this is root.
    await chmod(folder, 0o755)
    await mkdir(join(folder, 'data'))
    const binary = await redisServer({ redisBin: process.env['REDIS_BIN'], noInstall, log: options.log })
    const redis = await TestRedis.start({ binary, appendOnly: true })
    return new BreakableStores(folder, await startPostgres(folder), redis)
  }

  get postgresUrl(): string {
    return this.#postgres.postgresUrl
  }

  get redisUrl(): string {
    return this.redis.url
  }

  /** Kills PostgreSQL with all its processes, as in a power cut. */
  async killPostgres(): Promise<void> {
    const { pid } = this.#postgres.postgres ?? { pid: 0 }
    process.kill(pid, 'SIGKILL')
    await this.#postgres.stop()
  }

  /** On another port. */
  async restartPostgres(): Promise<void> {
    this.#postgres = await startPostgres(this.folder)
  }

  signalPostgres(signal: NodeJS.Signals): void {
    process.kill(this.#postgres.postgres?.pid ?? 0, signal)
  }

  async end(): Promise<void> {
    await Promise.allSettled([this.#postgres.stop(), this.redis.end()])
    await rm(this.folder, { recursive: true, force: true })
  }
}

function startPostgres(folder: string): Promise<LocalStores> {
  return startLocalStores({
    dataDir: join(folder, 'data'),
    redisUrl: 'redis://unused',
    noInstall,
    durable: true,
    log: () => undefined,
  })
}
