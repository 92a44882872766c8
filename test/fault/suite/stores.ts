import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalStores, type LocalStores } from '../../../src/db/local/local-stores.ts'
import { redisServer } from '../../../src/db/local/redis-server.ts'
import { RedisCluster } from '../../support/redis-cluster.ts'
import { RedisSentinels } from '../../support/redis-sentinels.ts'
import { TestRedis } from '../../support/stores.ts'
import type { RedisShape } from './fault.ts'

const noInstall = process.env['OPENRUN_NO_INSTALL'] === '1'

/** PostgreSQL and Redis that may be killed and started again on what they have kept. */
export class BreakableStores {
  readonly folder: string
  /** The one that the servers use where they do not use several. */
  readonly redis: TestRedis
  readonly sentinels: RedisSentinels | undefined
  readonly cluster: RedisCluster | undefined
  #postgres: LocalStores

  private constructor(parts: {
    folder: string
    postgres: LocalStores
    redis: TestRedis
    sentinels: RedisSentinels | undefined
    cluster: RedisCluster | undefined
  }) {
    this.folder = parts.folder
    this.redis = parts.redis
    this.sentinels = parts.sentinels
    this.cluster = parts.cluster
    this.#postgres = parts.postgres
  }

  static async start(options: { shape: RedisShape; log: (line: string) => void }): Promise<BreakableStores> {
    const { shape, log } = options
    const folder = await mkdtemp(join(tmpdir(), 'openrun-faults-'))
    // PostgreSQL runs under an account of its own when this is root.
    await chmod(folder, 0o755)
    await mkdir(join(folder, 'data'))
    const binary = await redisServer({ redisBin: process.env['REDIS_BIN'], noInstall, log })
    return new BreakableStores({
      folder,
      redis: await TestRedis.start({ binary, appendOnly: true }),
      sentinels: shape === 'sentinels' ? await RedisSentinels.start({ binary }) : undefined,
      cluster: shape === 'cluster' ? await RedisCluster.start({ binary, replicas: true }) : undefined,
      postgres: await startPostgres(folder),
    })
  }

  /** Where the servers find Redis when it is several. */
  get severalSettings(): Readonly<Record<string, string>> {
    return this.sentinels?.settings ?? this.cluster?.settings ?? {}
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
    const several = [this.sentinels?.end(), this.cluster?.end()]
    await Promise.allSettled([this.#postgres.stop(), this.redis.end(), ...several])
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
