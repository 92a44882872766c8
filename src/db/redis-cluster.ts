import { EventEmitter } from 'node:events'
import type { Clock } from '../clock.ts'
import { generalErrors, Problem } from '../errors.ts'
import type { Log } from '../log.ts'
import { OneRedis } from './one-redis.ts'
import { hostAndPort, redisUrl, type RedisAddress } from './redis-address.ts'
import type { RedisServer, RedisServers } from './redis-servers.ts'
import { slotOf, SlotTable } from './redis-slots.ts'
import { connectRedis, type Redis } from './redis.ts'

export interface RedisClusterOptions {
  /** Some of its nodes; all have one login. */
  readonly seeds: readonly RedisAddress[]
  readonly name: string
  readonly log: Log
  readonly clock: Clock
  readonly random: () => number
}

/** How often the slots are read when nothing says that they have changed, and after a reading that was of no use. */
const lookEveryMs = 5000
const lookAgainMs = 500
/** Between two readings, however many say that the slots have changed. */
const lookPauseMs = 100

/**
 * The masters of a cluster, each with a connection and a life of its own. No command follows a redirection: it carries the
 * run_id of the server it was made for, and another, perhaps a replica that was promoted and has forgotten something, has to
 * be asked who it is first. So whoever is redirected hears `unavailable`, and the slots are read anew.
 *
 * While a slot is being moved, a script that names a key which is not there, or not there any more, is refused; after
 * it the state is found to be of another server and is rebuilt.
 */
export class RedisCluster implements RedisServers {
  readonly #options: RedisClusterOptions
  readonly #nodes = new Map<string, OneRedis>()
  readonly #changes = new EventEmitter()
  readonly #stopped = new AbortController()
  #slots = new SlotTable()
  #hurry = new AbortController()

  constructor(options: RedisClusterOptions) {
    this.#options = options
    this.#changes.setMaxListeners(0)
  }

  of(key: string): RedisServer {
    const owner = this.#slots.ownerOf(slotOf(key))
    const node = owner === undefined ? undefined : this.#nodes.get(owner)
    if (node === undefined) throw unavailable()
    return node
  }

  publish(channel: string, message: string): Promise<unknown> {
    const nodes = [...this.#nodes.values()]
    const owner = this.#nodes.get(this.#slots.ownerOf(slotOf(channel)) ?? '')
    // What is told of one thing keeps its order as long as it goes the same way.
    const known = owner?.isKnown === true ? owner : nodes.find((node) => node.isKnown)
    return known === undefined ? Promise.reject(unavailable()) : known.publish(channel, message)
  }

  get away(): readonly string[] {
    return [...this.#nodes].filter(([, node]) => !node.isKnown).map(([address]) => address)
  }

  /** While one node is away the sales of the others go on, so any that answers is enough. */
  async mustBeReady(): Promise<void> {
    await Promise.any([...this.#nodes.values()].map((node) => node.mustBeReady())).catch(() => {
      throw unavailable()
    })
  }

  async connect(): Promise<void> {
    await this.#look()
    const nodes = [...this.#nodes.values()]
    const begun = await Promise.allSettled(nodes.map((node) => node.connect()))
    const failure = begun.find((one) => one.status === 'rejected')
    if (failure !== undefined && nodes.every((node) => !node.isKnown)) throw failure.reason
    void this.#follow()
  }

  disconnect(): void {
    this.#stopped.abort()
    for (const node of this.#nodes.values()) node.disconnect()
    this.#nodes.clear()
  }

  /** Where a connection that hears may be made, and whether one that is there is still at a master. */
  get addresses(): string[] {
    return [...this.#nodes.keys()]
  }

  /** Told when other servers are its masters. */
  onChange(heed: () => void): void {
    this.#changes.on('change', heed)
  }

  /** A connection to one of the nodes, not yet begun. */
  connectionTo(address: string, connect: typeof connectRedis = connectRedis): Redis {
    const { seeds, name, log, clock } = this.#options
    const url = redisUrl(address, seeds[0])
    return connect({ url, name, log, clock, heed: (error) => this.#heed(address, error) })
  }

  async #follow(): Promise<void> {
    const { clock, log } = this.#options
    const stopped = this.#stopped.signal
    let waitMs = lookEveryMs
    while (!stopped.aborted) {
      const hurry = AbortSignal.any([this.#hurry.signal, stopped])
      await clock.wait(waitMs, hurry)
      await clock.wait(lookPauseMs, stopped)
      this.#hurry = new AbortController()
      if (stopped.aborted) return
      try {
        await this.#look()
        waitMs = this.#isWell() ? lookEveryMs : lookAgainMs
      } catch (err) {
        log.debug({ err }, 'the slots of Redis could not be read')
        waitMs = lookAgainMs
      }
    }
  }

  #isWell(): boolean {
    return this.#slots.isWhole && [...this.#nodes.values()].every((node) => node.isKnown)
  }

  /** Reads the slots from whoever answers, in no order: one that is cut off from the others should not be asked for ever. */
  async #look(): Promise<void> {
    const connected = [...this.#nodes].filter(([, node]) => node.isKnown)
    const failures: unknown[] = []
    for (const [address, { commands }] of this.#shuffled(connected)) {
      try {
        return this.#take(await readSlots(commands, address))
      } catch (error) {
        failures.push(error)
      }
    }
    const seeds = this.#options.seeds.map(({ host, port = 6379 }) => hostAndPort(host, port))
    for (const address of new Set([...this.#shuffled(seeds), ...this.#nodes.keys()])) {
      const asked = this.connectionTo(address)
      try {
        await asked.connect()
        return this.#take(await readSlots(asked, address))
      } catch (error) {
        failures.push(error)
      } finally {
        asked.disconnect()
      }
    }
    throw failures.at(-1)
  }

  #take(slots: SlotTable): void {
    if (this.#stopped.signal.aborted) return
    const owners = slots.owners
    for (const [address, node] of this.#nodes) {
      if (owners.has(address)) continue
      this.#nodes.delete(address)
      node.disconnect()
    }
    for (const address of owners) if (!this.#nodes.has(address)) this.#add(address)
    this.#slots = slots
    this.#changes.emit('change')
  }

  #add(address: string): void {
    const node = new OneRedis(this.connectionTo(address), this.#options.clock)
    this.#nodes.set(address, node)
    node.commands.on('close', () => this.#lookSoon())
    // It goes on trying by itself.
    node.connect().catch(() => {})
  }

  /** A server that says a slot is elsewhere may have been made a replica, and may be a master again before it is asked. */
  #heed(address: string, { message }: Error): void {
    const [, slot] = /^MOVED (\d+) /.exec(message) ?? []
    if (slot !== undefined && this.#slots.ownerOf(Number(slot)) === address) {
      this.#slots.forget(Number(slot))
      this.#nodes.get(address)?.doubt()
    }
    if (/^(MOVED|ASK|CLUSTERDOWN) /.test(message)) this.#lookSoon()
  }

  #shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, order: this.#options.random() }))
      .toSorted((a, b) => a.order - b.order)
      .map(({ item }) => item)
  }

  #lookSoon(): void {
    this.#hurry.abort()
  }
}

async function readSlots(redis: Redis, address: string): Promise<SlotTable> {
  // One that is cut off from the others goes on believing what it knew.
  if (/cluster_state:fail/.test(await redis.cluster('INFO')))
    throw new Error('it is not in touch with the others')
  const reply = (await redis.cluster('SLOTS')) as unknown[]
  const slots = SlotTable.read(reply, new URL(`redis://${address}`).hostname.replace(/^\[|\]$/g, ''))
  if (slots.owners.size === 0) throw new Error('it knows of no slots')
  return slots
}

function unavailable(): Problem {
  return new Problem(generalErrors.unavailable, { retryAfterSeconds: 1 })
}
