import { onFreePort } from '../../src/db/local/free-port.ts'
import { slotOf } from '../../src/db/redis-slots.ts'
import { RedisProcess, startTogether } from './redis-process.ts'
import { until } from './until.ts'

const slots = 16_384
const masterCount = 3
const password = 'secret'

/** Three masters that share the slots; each may have a replica. */
export class RedisCluster {
  readonly #nodes: readonly RedisProcess[]

  private constructor(nodes: readonly RedisProcess[]) {
    this.#nodes = nodes
  }

  /** @param options.binary a server of Redis 7 */
  static async start(options: { binary: string; replicas?: boolean }): Promise<RedisCluster> {
    const count = options.replicas === true ? 2 * masterCount : masterCount
    const nodes = await startTogether(Array.from({ length: count }, () => () => startNode(options.binary)))
    try {
      await meet(nodes)
      return new RedisCluster(nodes)
    } catch (error) {
      await Promise.all(nodes.map((node) => node.end()))
      throw error
    }
  }

  /** What tells a server of Openrun to use it. */
  get settings(): { readonly REDIS_URL: string; readonly OPENRUN_REDIS_CLUSTER: string } {
    return { REDIS_URL: this.urls, OPENRUN_REDIS_CLUSTER: 'true' }
  }

  /** Of some nodes, not of all. */
  get urls(): string {
    return this.#nodes
      .slice(0, 2)
      .map(({ port }) => `redis://:${password}@127.0.0.1:${port}`)
      .join(',')
  }

  /** The master that has what lies under a key. */
  async nodeOf(key: string): Promise<RedisProcess> {
    const { master } = await this.#rangeOf(key)
    return master
  }

  async replicaOf(key: string): Promise<RedisProcess | undefined> {
    const { replica } = await this.#rangeOf(key)
    return replica
  }

  /**
   * Moves the slot of a key to another node, with all keys that are in it, one after another, as `redis-cli --cluster
   * reshard` does. Resolves to the node that has it now.
   * @param options.between called when a part of the keys has been moved
   */
  async moveSlot(key: string, options: { between?: () => Promise<void> } = {}): Promise<RedisProcess> {
    const slot = slotOf(key)
    const masters = await this.#masters()
    const from = await this.nodeOf(key)
    const to = masters[(masters.indexOf(from) + 1) % masters.length] ?? from
    const [fromId, toId] = [await idOf(from), await idOf(to)]
    await to.commands.cluster('SETSLOT', slot, 'IMPORTING', fromId)
    await from.commands.cluster('SETSLOT', slot, 'MIGRATING', toId)
    for (let moved = 0; ; moved++) {
      const [next] = (await from.commands.cluster('GETKEYSINSLOT', slot, 1)) as string[]
      if (next === undefined) break
      await from.commands.call('MIGRATE', '127.0.0.1', to.port, next, 0, 60_000, 'AUTH', password)
      if (moved === 2) await options.between?.()
    }
    for (const node of new Set([to, from, ...masters]))
      await node.commands.cluster('SETSLOT', slot, 'NODE', toId)
    return to
  }

  /** From now on the replica of the node that has a key hears nothing of what is acknowledged. */
  async lag(key: string): Promise<RedisProcess> {
    const { master, replica } = await this.#rangeOf(key)
    if (replica === undefined) throw new Error('it has no replica')
    await replica.commands.config('SET', 'masterauth', 'wrong')
    await master.commands.client('KILL', 'TYPE', 'replica')
    await until('the replica is cut off', async () => !(await isFollowing(replica)))
    return replica
  }

  /** Kills the node that has a key. Resolves with it when its replica was made the master. */
  async failOver(key: string): Promise<RedisProcess> {
    const { master, replica } = await this.#rangeOf(key)
    if (replica === undefined) throw new Error('it has no replica')
    await this.#waitForNodes(soonMs)
    await master.kill()
    const isPromoted = async () => (await this.nodeOf(key)) === replica
    // Nodes that stand still again and again may not come to a vote.
    await until('the replica is promoted', isPromoted, { withinMs: electionMs }).catch(async () => {
      await replica.commands.cluster('FAILOVER', 'TAKEOVER')
      await until('the replica has taken over', isPromoted)
    })
    await this.#waitForNodes(longMs)
    await replica.commands.config('SET', 'masterauth', password)
    return master
  }

  /** Resolves when all nodes that run agree that all is well, and each master has a replica. */
  async well(): Promise<void> {
    await until('the cluster is well', async () => {
      const running = this.#nodes.filter(({ isRunning }) => isRunning)
      const said = await Promise.all(running.map(({ commands }) => commands.cluster('INFO')))
      const ranges = await this.#ranges()
      return (
        said.every((text) => /cluster_state:ok/.test(String(text))) &&
        ranges.every((range) => range.length > 3)
      )
    })
  }

  async end(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.end()))
  }

  /** How long the nodes wait for one that does not answer. */
  async #waitForNodes(ms: number): Promise<void> {
    for (const { commands, isRunning } of this.#nodes)
      if (isRunning) await commands.config('SET', 'cluster-node-timeout', ms)
  }

  async #masters(): Promise<RedisProcess[]> {
    const ranges = await this.#ranges()
    return this.#nodes.filter((node) => ranges.some((range) => range[2]?.[1] === node.port))
  }

  async #rangeOf(key: string): Promise<{ master: RedisProcess; replica: RedisProcess | undefined }> {
    const slot = slotOf(key)
    const range = (await this.#ranges()).find(([first, last]) => first <= slot && slot <= last)
    const [master, replica] = ((range?.slice(2) as (readonly [string, number])[] | undefined) ?? []).map(
      ([, known]) => this.#nodes.find(({ port }) => port === known),
    )
    if (master === undefined) throw new Error(`nobody has the slot of ${key}`)
    return { master, replica }
  }

  /** As a node says it that is there. */
  async #ranges() {
    for (const { commands, isRunning } of this.#nodes) if (isRunning) return await commands.cluster('SLOTS')
    return []
  }
}

function startNode(binary: string): Promise<RedisProcess> {
  return onFreePort((bus) => {
    const lines = () => [...nodeLines, `cluster-port ${bus}`]
    return RedisProcess.start({ program: 'redis-server', binary, lines, password })
  })
}

const electionMs = 30_000
/** Where a node is to be replaced. */
const soonMs = 2_000
/** Where it is not, however busy the machine is. */
const longMs = 10_000

const nodeLines = [
  'cluster-enabled yes',
  `cluster-node-timeout ${longMs}`,
  // While one is away the others go on.
  'cluster-require-full-coverage no',
  'cluster-allow-replica-migration no',
  // However long a replica has heard nothing of its master, it takes its place.
  'cluster-replica-validity-factor 0',
  'save ""',
  'appendonly yes',
  'appendfsync everysec',
  'maxmemory-policy noeviction',
  'repl-diskless-sync-delay 0',
  `requirepass ${password}`,
  `masterauth ${password}`,
]

async function meet(nodes: readonly RedisProcess[]): Promise<void> {
  const masters = nodes.slice(0, masterCount)
  const share = Math.ceil(slots / masterCount)
  for (const [index, { commands }] of masters.entries()) {
    const last = Math.min(slots, (index + 1) * share) - 1
    await commands.call('CLUSTER', 'ADDSLOTSRANGE', index * share, last)
  }
  for (const [index, { commands }] of nodes.entries()) {
    await commands.cluster('SET-CONFIG-EPOCH', index + 1)
    const [, bus = ''] = (await commands.config('GET', 'cluster-port')) as string[]
    for (const other of nodes.slice(0, index))
      await other.commands.call('CLUSTER', 'MEET', '127.0.0.1', nodes[index]?.port ?? 0, bus)
  }
  const known = [`cluster_slots_ok:${slots}`, `cluster_known_nodes:${nodes.length}`, 'cluster_state:ok']
  const isKnown = async ({ commands }: RedisProcess) => {
    const info = await commands.cluster('INFO')
    return known.every((line) => info.includes(line))
  }
  const all = async () => (await Promise.all(nodes.map(isKnown))).every(Boolean)
  await until('the nodes know each other', all)
  for (const [index, replica] of nodes.slice(masterCount).entries()) {
    const master = masters[index]
    if (master === undefined) continue
    await replica.commands.cluster('REPLICATE', await idOf(master))
    await until('the replica follows', () => isFollowing(replica))
  }
  const inEach = 2 + nodes.length / masterCount
  const ranges = async () =>
    (await Promise.all(nodes.map(({ commands }) => commands.cluster('SLOTS')))).flat()
  await until('all know the replicas', async () => (await ranges()).every((range) => range.length === inEach))
}

async function isFollowing(replica: RedisProcess): Promise<boolean> {
  return /^master_link_status:up/m.test(await replica.commands.info('replication'))
}

async function idOf({ commands }: RedisProcess): Promise<string> {
  return await commands.cluster('MYID')
}
