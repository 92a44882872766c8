import type { RedisServer, RedisServers } from '../../db/redis-servers.ts'
import { asUnavailable } from '../../db/redis.ts'
import { runInOrder, type Script, type ScriptReply } from '../../db/script.ts'
import { saleFailure, saleFailures } from './sale-failures.ts'
import { saleKeys, type SaleKeyName, type SaleKeys } from './sale-keys.ts'

type OwnArg<Arg extends string> = Exclude<Arg, 'epoch' | 'run_id'>

/** How many sales' keys and epochs are kept at hand. */
const knownMax = 10_000

interface KnownSale {
  readonly keys: SaleKeys
  /** The keys of each script that was run, in the order of its header. */
  readonly inOrder: Map<object, readonly string[]>
  epoch: string
}

/**
 * Runs scripts on the Redis state of sales. Each call carries the epoch the process believes in and the run_id of the
 * server that it is sent to, so a state that is of another life refuses it.
 */
export class SaleState {
  readonly #redis: Pick<RedisServers, 'of'>
  readonly #known = new Map<string, KnownSale>()

  constructor(redis: Pick<RedisServers, 'of'>) {
    this.#redis = redis
  }

  /** The server that has the state of a sale. Throws Problem `unavailable` while that is not known. */
  serverOf(saleId: string): RedisServer {
    return this.#redis.of(this.#knownOf(saleId).keys.state)
  }

  /**
   * Runs a script whose arguments begin with `epoch run_id`. A stale epoch is looked up once and the call repeated;
   * every other failure number is thrown as the error it stands for.
   */
  async run<Arg extends string>(
    script: Script<SaleKeyName, Arg>,
    saleId: string,
    args: Readonly<Record<OwnArg<Arg>, string | number>>,
  ): Promise<ScriptReply> {
    const known = this.#knownOf(saleId)
    const asked = known.epoch
    let reply = await this.#call(script, known, args)
    if (reply === saleFailures.otherEpoch || reply === saleFailures.forgotten) {
      // Another call, which was refused a little earlier, may have looked it up already.
      if (known.epoch === asked) await this.refresh(saleId)
      if (known.epoch !== asked) reply = await this.#call(script, known, args)
    }
    if (typeof reply === 'number' && reply < 0) throw saleFailure(reply)
    return reply
  }

  /** The epoch last heard of; 0 before the first. */
  epoch(saleId: string): number {
    return Number(this.#knownOf(saleId).epoch)
  }

  setEpoch(saleId: string, epoch: number): void {
    this.#knownOf(saleId).epoch = String(epoch)
  }

  /** Reads the epoch from Redis. */
  async refresh(saleId: string): Promise<void> {
    const known = this.#knownOf(saleId)
    const { commands } = this.serverOf(saleId)
    const epoch = await commands.hget(known.keys.state, 'epoch').catch((error: unknown) => {
      throw asUnavailable(error)
    })
    if (epoch !== null) known.epoch = epoch
  }

  #call<Arg extends string>(
    script: Script<SaleKeyName, Arg>,
    known: KnownSale,
    args: Readonly<Record<OwnArg<Arg>, string | number>>,
  ): Promise<ScriptReply> {
    const { commands, runId } = this.#redis.of(known.keys.state)
    const own: Readonly<Partial<Record<string, string | number>>> = args
    const values = script.args.map((name) =>
      name === 'epoch' ? known.epoch : name === 'run_id' ? runId : (own[name] ?? ''),
    )
    return runInOrder(commands, script, keysInOrder(known, script), values)
  }

  #knownOf(saleId: string): KnownSale {
    const known = this.#known.get(saleId)
    if (known !== undefined) return known
    const fresh: KnownSale = { keys: saleKeys(saleId), inOrder: new Map(), epoch: '0' }
    if (this.#known.size >= knownMax) this.#known.delete(this.#known.keys().next().value ?? '')
    this.#known.set(saleId, fresh)
    return fresh
  }
}

/** Made once for a script and a sale: who joins a line names a dozen keys, and so does everybody behind. */
function keysInOrder(known: KnownSale, script: Script<SaleKeyName, string>): readonly string[] {
  const made = known.inOrder.get(script)
  if (made !== undefined) return made
  const keys = script.keys.map((name) => known.keys[name])
  known.inOrder.set(script, keys)
  return keys
}
