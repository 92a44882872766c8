import { RedisProcess, startTogether } from './redis-process.ts'
import { until } from './until.ts'

const master = 'openrun'
/** With characters that a URL has to write in another way. */
const password = 'p@ss:/%word'

/** A master, a replica, and three Sentinels, two of which have to agree that the master is gone. */
export class RedisSentinels {
  #master: RedisProcess
  #replica: RedisProcess
  readonly #sentinels: readonly RedisProcess[]

  private constructor(parts: {
    master: RedisProcess
    replica: RedisProcess
    sentinels: readonly RedisProcess[]
  }) {
    this.#master = parts.master
    this.#replica = parts.replica
    this.#sentinels = parts.sentinels
  }

  /** @param options.binary a server of Redis 7 */
  static async start({ binary }: { binary: string }): Promise<RedisSentinels> {
    const started: RedisProcess[] = []
    try {
      const server = await RedisProcess.start({ ...serverPlan, binary, lines: () => serverLines })
      started.push(server)
      const follows = `replicaof 127.0.0.1 ${server.port}`
      const replica = await RedisProcess.start({
        ...serverPlan,
        binary,
        lines: () => [...serverLines, follows],
      })
      started.push(replica)
      await untilFollowing(replica)
      const watch = () => sentinelLines(server.port)
      const sentinel = () => RedisProcess.start({ program: 'redis-sentinel', binary, lines: watch })
      const sentinels = await startTogether([sentinel, sentinel, sentinel])
      started.push(...sentinels)
      await until('the Sentinels know each other', () => knowEachOther(sentinels))
      return new RedisSentinels({ master: server, replica, sentinels })
    } catch (error) {
      await Promise.all(started.map((one) => one.end()))
      throw error
    }
  }

  /** What tells a server of Openrun to use it. */
  get settings(): { readonly REDIS_URL: string; readonly OPENRUN_REDIS_SENTINEL_MASTER: string } {
    return { REDIS_URL: this.urls, OPENRUN_REDIS_SENTINEL_MASTER: master }
  }

  /** Of the Sentinels. */
  get urls(): string {
    const login = `:${encodeURIComponent(password)}`
    return this.#sentinels.map(({ port }) => `redis://${login}@127.0.0.1:${port}`).join(',')
  }

  /** The server that is the master now. */
  get master(): RedisProcess {
    return this.#master
  }

  get replica(): RedisProcess {
    return this.#replica
  }

  /** From now on the replica hears nothing of what the master acknowledges. */
  async lag(): Promise<void> {
    await this.#replica.commands.config('SET', 'masterauth', 'wrong')
    await this.#master.commands.client('KILL', 'TYPE', 'replica')
    await until('the replica is cut off', async () => !(await isFollowing(this.#replica)))
  }

  /**
   * The master is no more. Resolves when the Sentinels have made the replica the master.
   * @param how killed, or hanging: it keeps its connections and answers nothing
   */
  async failOver(how: 'killed' | 'hanging' = 'killed'): Promise<void> {
    await this.#waitForMaster(soonMs)
    if (how === 'killed') await this.#master.kill()
    else this.#master.signal('SIGSTOP')
    const { port } = this.#replica
    try {
      await until('the replica is promoted', () => this.#allSay(port), { withinMs: patienceMs })
    } catch (error) {
      if (how === 'hanging') this.#master.signal('SIGCONT')
      throw error
    }
    await this.#waitForMaster(longMs)
    const gone = this.#master
    this.#master = this.#replica
    this.#replica = gone
    await this.#master.commands.config('SET', 'masterauth', password)
  }

  /** The server that was killed, or hung, comes back and follows the new master. */
  async bringBack(): Promise<void> {
    if (this.#replica.isRunning) this.#replica.signal('SIGCONT')
    else await this.#replica.restart()
    try {
      const isBack = () => isFollowing(this.#replica)
      await until('the Sentinels make it a replica', isBack, { withinMs: patienceMs })
    } catch (cause) {
      throw new Error(`${String(cause)}: ${await this.#told()}`, { cause })
    }
  }

  async killSentinel(): Promise<void> {
    await this.#sentinels[0]?.kill()
  }

  async end(): Promise<void> {
    await Promise.all([...this.#sentinels, this.#master, this.#replica].map((one) => one.end()))
  }

  /** How long the Sentinels wait for a server that does not answer. */
  async #waitForMaster(ms: number): Promise<void> {
    for (const { commands, isRunning } of this.#sentinels)
      if (isRunning) await commands.call('SENTINEL', 'SET', master, 'down-after-milliseconds', ms)
  }

  /** What the Sentinels know, for whoever has waited in vain. */
  async #told(): Promise<string> {
    const known = this.#sentinels
      .filter(({ isRunning }) => isRunning)
      .map(async ({ commands }) => {
        const isTilted = /^sentinel_tilt:1/m.test(await commands.info('sentinel'))
        return { isTilted, replicas: await commands.call('SENTINEL', 'replicas', master) }
      })
    return JSON.stringify(await Promise.all(known))
  }

  async #allSay(port: number): Promise<boolean> {
    const said = await Promise.all(
      this.#sentinels.map(({ commands }) => commands.call('SENTINEL', 'get-master-addr-by-name', master)),
    )
    return said.every((address) => Number((address as string[])[1]) === port)
  }
}

/** They ask each server who it is every ten seconds, and do nothing for half a minute after a machine stood still. */
const patienceMs = 300_000
/** Where a master is to be replaced. */
const soonMs = 3_000
/** Where it is not, however busy the machine is. */
const longMs = 60_000

const serverPlan = { program: 'redis-server', password } as const

const serverLines = [
  'save ""',
  'appendonly no',
  'maxmemory-policy noeviction',
  'repl-diskless-sync-delay 0',
  `requirepass ${password}`,
  `masterauth ${password}`,
]

function sentinelLines(port: number): string[] {
  return [
    `sentinel monitor ${master} 127.0.0.1 ${port} 2`,
    `sentinel auth-pass ${master} ${password}`,
    `sentinel down-after-milliseconds ${master} ${longMs}`,
    `sentinel failover-timeout ${master} 3000`,
  ]
}

async function isFollowing(replica: RedisProcess): Promise<boolean> {
  return /^master_link_status:up/m.test(await replica.commands.info('replication'))
}

function untilFollowing(replica: RedisProcess): Promise<void> {
  return until('the replica follows', () => isFollowing(replica))
}

async function knowEachOther(sentinels: readonly RedisProcess[]): Promise<boolean> {
  const known = await Promise.all(
    sentinels.map(async ({ commands }) => {
      const fields = (await commands.call('SENTINEL', 'master', master)) as string[]
      const of = (name: string): number => Number(fields[fields.indexOf(name) + 1])
      return of('num-slaves') === 1 && of('num-other-sentinels') === sentinels.length - 1
    }),
  )
  return known.every(Boolean)
}
