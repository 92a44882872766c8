import { cpuMicrosOf } from '../measure/cpu-time.ts'
import { HelperProcess } from '../stage/helper-process.ts'
import { bareServer, fastifyServer, ourServer, type JoinServer } from './join-servers.ts'
import type { JoseVerifyCalls } from '../limits/jose-verify-calls.ts'
import type { Driven } from '../load/drive.ts'
import type { UnseenCalls } from '../load/unseen-calls.ts'
import type { Stage } from '../stage/stage.ts'
import { defineQuestion, turnOptions } from '../question.ts'
import { rowOf, type Measured } from '../measure/rows.ts'
import { issuer, TokenMint } from './token-mint.ts'
import { check, sideOf, timed, type Check, type Findings, type Turn, type Window } from '../measure/turn.ts'

/** More than any turn is expected to reach, so that it is the clock that ends it. */
const joinsPerSecondMax = 25_000
/** The same for tokens that have to be verified first. Each is signed beforehand, which takes as long. */
const unseenPerSecondMax = 8_000

/** After the first, in which every token is new, the code is still being compiled for some ten thousand joins. */
const warmUpSales = 3

const joinOptions = {
  ...turnOptions({ seconds: [2, 5], rounds: [2, 3] }),
  conns: { about: 'connections of the load', quick: 256, full: 256, least: 1, most: 2_000 },
  // More would fall out of the server's memory of tokens, and each join would pay for a signature.
  accounts: { about: 'buyers that take part', quick: 4_000, full: 20_000, least: 100, most: 45_000 },
}

export const join = defineQuestion({
  name: 'join',
  about: 'how many can join the line in a second, with tokens seen before and with new ones',
  options: joinOptions,
  ask: async (bench, options) => await new JoinQuestion(await bench.open(options), options).ask(),
})

type Options = Readonly<Record<keyof typeof joinOptions, number>>

/** Makes the load of a turn; answers when it is over. */
type Load = (target: { port: number; connections: number; sales: readonly string[] }) => Promise<Driven>

/**
 * How many can join the line in a second, against a bare server that makes the same call to Redis, and against a line
 * built with Fastify? Every join is of an account that is not in that line yet, with a token that the server has met
 * before. Then the same of our server with tokens that nobody has met, against how many of them jose verifies.
 */
class JoinQuestion {
  readonly #stage: Stage
  readonly #options: Options
  readonly #checks: Check[] = []
  readonly #windows: Window[] = []

  constructor(stage: Stage, options: Options) {
    this.#stage = stage
    this.#options = options
  }

  async ask(): Promise<Findings> {
    const seen = await this.#askSeen()
    // Last, since so many new tokens push those seen before out of the server's memory.
    const unseen = await this.#askUnseen()
    return {
      sides: [...seen.sides, ...unseen.sides],
      rows: [...seen.rows, ...unseen.rows],
      checks: this.#checks,
      windows: this.#windows,
    }
  }

  async #askSeen(): Promise<Pick<Findings, 'sides' | 'rows'>> {
    const [ours, limit, peer]: [Turn[], Turn[], Turn[]] = [[], [], []]
    const servers: JoinServer[] = []
    try {
      const our = ourServer(this.#stage)
      // Shows the server each token once, and says how big its answers are.
      const { driven } = await this.#seenTurn('warm-up of ours', our, { isWarmUp: true })
      const bare = await bareServer(this.#stage, driven.bytesPerAnswer)
      servers.push(bare)
      await this.#seenTurn('warm-up of the limit', bare, { isWarmUp: true })
      const fastify = await fastifyServer(this.#stage)
      servers.push(fastify)
      await this.#seenTurn('warm-up of Fastify', fastify, { isWarmUp: true })
      for (let round = 1; round <= this.#options.rounds; round++) {
        const { turn, window } = await this.#seenTurn(`ours ${round}`, our)
        ours.push(turn)
        this.#windows.push({ ...window, name: 'join' })
        limit.push((await this.#seenTurn(`limit ${round}`, bare)).turn)
        peer.push((await this.#seenTurn(`Fastify ${round}`, fastify)).turn)
      }
    } finally {
      for (const server of servers) await server.stop()
    }
    const sides = [sideOf('openrun', ours), sideOf('bare server', limit), sideOf('Fastify', peer)]
    return { sides, rows: seenRows({ ours, limit, peer }) }
  }

  /** Tokens that the server has met; a warm-up ends when every account has joined each of its sales. */
  async #seenTurn(name: string, server: JoinServer, { isWarmUp = false } = {}) {
    const { load, accounts } = this.#stage
    const seconds = isWarmUp ? 300 : this.#options.seconds
    const sales = isWarmUp ? warmUpSales : Math.ceil((seconds * joinsPerSecondMax) / accounts.length)
    const joining: Load = (target) => load.ask('join', { ...target, seconds })
    return await this.#turn({ name, server, sales, loadPid: load.pid, joining })
  }

  async #askUnseen(): Promise<Pick<Findings, 'sides' | 'rows'>> {
    const [ours, limit]: [Turn[], Turn[]] = [[], []]
    const mint = await TokenMint.open(this.#stage.sql)
    const crowd = new HelperProcess<UnseenCalls>(new URL('../load/unseen-program.ts', import.meta.url))
    const jose = new HelperProcess<JoseVerifyCalls>(new URL('../limits/jose-verify.ts', import.meta.url))
    const { seconds, rounds } = this.#options
    const { accounts } = this.#stage
    try {
      await jose.ask('know', { jwks: mint.keys.jwks(), issuer })
      // Both have to get warm: the first round counts for nothing.
      for (let round = 0; round <= rounds; round++) {
        const count = Math.ceil(unseenPerSecondMax * (round === 0 ? 0.5 : seconds))
        const tokens = await mint.sign(accounts, count)
        const our = await this.#unseenTurn(`never seen ${round}`, crowd, tokens)
        const its = await this.#verifyTurn(`jose ${round}`, jose, tokens)
        if (round === 0) continue
        ours.push(our.turn)
        this.#windows.push({ ...our.window, name: 'join with a token never seen' })
        limit.push(its)
      }
    } finally {
      await crowd.stop()
      await jose.stop()
    }
    const sides = [sideOf('openrun, tokens never seen', ours), sideOf('jose, verifying only', limit)]
    return { sides, rows: unseenRows(ours, limit) }
  }

  async #unseenTurn(name: string, crowd: HelperProcess<UnseenCalls>, tokens: readonly string[]) {
    const { seconds } = this.#options
    const perSale = this.#stage.accounts.length
    const sales = Math.ceil(tokens.length / perSale)
    const joining: Load = (target) => crowd.ask('join', { ...target, tokens, perSale, seconds })
    this.#checks.push(check(`${name}: different tokens`, tokens.length, new Set(tokens).size))
    return await this.#turn({ name, server: ourServer(this.#stage), sales, loadPid: crowd.pid, joining })
  }

  /** The same tokens once more, where nothing is to be done but to verify them. */
  async #verifyTurn(
    name: string,
    jose: HelperProcess<JoseVerifyCalls>,
    tokens: readonly string[],
  ): Promise<Turn> {
    const { seconds } = this.#options
    const { result, cpuMicros } = await timed(
      { server: () => cpuMicrosOf(jose.pid) },
      () => jose.ask('verify', { tokens, seconds }),
      (verified) => verified.done,
    )
    const { done, accounts, perSecond, p50Ms, p99Ms } = result
    this.#checks.push(check(`${name}: verified tokens that name an account`, done, accounts))
    return { perSecond, p50Ms, p99Ms, cpuMicros }
  }

  async #turn(side: { name: string; server: JoinServer; sales: number; loadPid: number; joining: Load }) {
    const { name, server, loadPid } = side
    const { stores } = this.#stage
    const sales = await server.open(side.sales)
    const meters = {
      server: () => cpuMicrosOf(server.pid),
      load: () => cpuMicrosOf(loadPid),
      redis: () => cpuMicrosOf(stores.redis?.pid ?? 0),
    }
    const { result, cpuMicros, ...window } = await timed(
      meters,
      () => side.joining({ port: server.port, connections: this.#options.conns, sales }),
      (driven) => driven.done,
    )
    const { done, statuses, perSecond, p50Ms, p99Ms } = result
    const { places, distinct, issued } = await server.lines(sales)
    // Every join that was answered has one place, every place another number, and there are no other places.
    this.#checks.push(
      check(`${name}: joins answered 201`, done, statuses['201'] ?? 0),
      check(`${name}: places in the lines`, done, places),
      check(`${name}: different sequences`, done, distinct),
      check(`${name}: sequences given out`, done, issued),
    )
    await server.close(sales)
    return { driven: result, turn: { perSecond, p50Ms, p99Ms, cpuMicros }, window }
  }
}

const rate = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond)
const cpu = (turns: readonly Turn[]) => turns.map((turn) => turn.cpuMicros['server'] ?? Number.NaN)

function seenRows(turns: Readonly<Record<'ours' | 'limit' | 'peer', readonly Turn[]>>): Measured[] {
  const { ours, limit, peer } = turns
  const fastify = (figures: readonly number[]) => ({ name: 'Fastify + ioredis', figures })
  return [
    rowOf({
      metric: 'joins, against the bare server',
      unit: 'a second',
      ours: rate(ours),
      limit: rate(limit),
      goal: { of: 'limit', least: 0.8 },
    }),
    rowOf({
      metric: 'joins, against Fastify',
      unit: 'a second',
      ours: rate(ours),
      peer: fastify(rate(peer)),
      goal: { of: 'peer', least: 1.5 },
    }),
    rowOf({
      metric: 'server CPU for a join, against the bare server',
      unit: 'µs',
      ours: cpu(ours),
      limit: cpu(limit),
    }),
    rowOf({
      metric: 'server CPU for a join, against Fastify',
      unit: 'µs',
      ours: cpu(ours),
      peer: fastify(cpu(peer)),
    }),
  ]
}

function unseenRows(ours: readonly Turn[], limit: readonly Turn[]): Measured[] {
  return [
    rowOf({
      metric: 'joins with tokens never seen (limit: jose verifies them)',
      unit: 'a second',
      ours: rate(ours),
      limit: rate(limit),
      goal: { of: 'limit', least: 0.8 },
    }),
    rowOf({
      metric: 'server CPU for such a join (limit: jose verifies one)',
      unit: 'µs',
      ours: cpu(ours),
      limit: cpu(limit),
    }),
  ]
}
