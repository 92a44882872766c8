import { slotOf } from '../../src/db/redis-slots.ts'
import { onFreePort } from '../../src/db/local/free-port.ts'
import { RedisProcess, startTogether } from './redis-process.ts'
import { until } from './until.ts'

const slots = 16_384
const nodeCount = 3

/** Three masters that share the slots. */
export class RedisCluster {
  readonly nodes: readonly RedisProcess[]

  private constructor(nodes: readonly RedisProcess[]) {
    this.nodes = nodes
  }

  /** @param options.binary a server of Redis 7 */
  static async start({ binary }: { binary: string }): Promise<RedisCluster> {
    const start = async () => {
      const bus = await onFreePort((port) => Promise.resolve(port))
      const lines = () => [...nodeLines, `cluster-port ${bus}`]
      return await RedisProcess.start({ program: 'redis-server', binary, lines })
    }
    const nodes = await startTogether(Array.from({ length: nodeCount }, () => start))
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

  get urls(): string {
    return this.nodes.map(({ port }) => `redis://127.0.0.1:${port}`).join(',')
  }

  /** The node that has what lies under a key. */
  async nodeOf(key: string): Promise<RedisProcess> {
    const slot = slotOf(key)
    for (const node of this.nodes) {
      const ranges = await node.commands.cluster('SLOTS').catch(() => [])
      const range = ranges.find(([first, last]) => first <= slot && slot <= last)
      const owner = this.nodes.find(({ port }) => port === range?.[2]?.[1])
      if (owner !== undefined) return owner
    }
    throw new Error(`nobody has the slot of ${key}`)
  }

  /**
   * Moves the slot of a key to another node, with all keys that are in it, one after another, as `redis-cli --cluster
   * reshard` does. Resolves to the node that has it now.
   * @param options.between told when a part of the keys has been moved
   */
  async moveSlot(key: string, options: { between?: () => Promise<void> } = {}): Promise<RedisProcess> {
    const slot = slotOf(key)
    const from = await this.nodeOf(key)
    const to = this.nodes[(this.nodes.indexOf(from) + 1) % this.nodes.length] ?? from
    const [fromId, toId] = [await idOf(from), await idOf(to)]
    await to.commands.cluster('SETSLOT', slot, 'IMPORTING', fromId)
    await from.commands.cluster('SETSLOT', slot, 'MIGRATING', toId)
    for (let moved = 0; ; moved++) {
      const [next] = (await from.commands.cluster('GETKEYSINSLOT', slot, 1)) as string[]
      if (next === undefined) break
      await from.commands.migrate('127.0.0.1', to.port, next, 0, 5000)
      if (moved === 2) await options.between?.()
    }
    const told = [to, from, ...this.nodes.filter((node) => node !== from && node !== to)]
    for (const node of told) await node.commands.cluster('SETSLOT', slot, 'NODE', toId)
    return to
  }

  async end(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end()))
  }
}

const nodeLines = [
  'cluster-enabled yes',
  'cluster-node-timeout 2000',
  // While one is away the others go on.
  'cluster-require-full-coverage no',
  'save ""',
  'appendonly yes',
  'appendfsync everysec',
  'maxmemory-policy noeviction',
]

async function meet(nodes: readonly RedisProcess[]): Promise<void> {
  const [first, ...others] = nodes
  const share = Math.ceil(slots / nodes.length)
  for (const [index, { commands }] of nodes.entries()) {
    await commands.cluster('SET-CONFIG-EPOCH', index + 1)
    const last = Math.min(slots, (index + 1) * share) - 1
    await commands.call('CLUSTER', 'ADDSLOTSRANGE', index * share, last)
  }
  if (first === undefined) return
  const [, bus = ''] = (await first.commands.config('GET', 'cluster-port')) as string[]
  for (const { commands } of others) await commands.call('CLUSTER', 'MEET', '127.0.0.1', first.port, bus)
  await until('the nodes know each other', async () => {
    const infos = await Promise.all(nodes.map(({ commands }) => commands.cluster('INFO')))
    return infos.every((info) => /cluster_state:ok/.test(info) && info.includes(`cluster_slots_ok:${slots}`))
  })
}

async function idOf({ commands }: RedisProcess): Promise<string> {
  return await commands.cluster('MYID')
}
