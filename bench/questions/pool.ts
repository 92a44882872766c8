import { cpuMicrosOf, cpuMicrosOfFamily } from '../measure/cpu-time.ts'
import { HelperProcess } from '../stage/helper-process.ts'
import type { PoolLoadCalls } from '../load/pool-calls.ts'
import { checkKilled } from './pool-kill.ts'
import { OurPools } from './pool-ours.ts'
import { PeerPools, poolPeers } from './pool-peers.ts'
import { poolKinds, poolRows, PoolSeries, shapeOf } from './pool-series.ts'
import { defineQuestion, type Bench } from '../question.ts'
import { startServerProcess } from '../stage/server-process.ts'
import type { Stage } from '../stage/stage.ts'
import { metered, shares, sideOf, type Check, type Findings, type Window } from '../measure/turn.ts'

/** Those let in may be half as many again as there are places, so there are as many as buyers at least. */
const warmUpPlaces = 2_000
const killedPlaces = 5_000

const poolOptions = {
  places: {
    about: 'places, in one pool and in ten',
    quick: 3_000,
    full: 100_000,
    least: 1_000,
    most: 1_000_000,
  },
  slow: {
    about: 'places for designs that give only some hundred a second',
    quick: 200,
    full: 4_000,
    least: 10,
    most: 1_000_000,
  },
  rounds: { about: 'turns of each design, one after the other', quick: 2, full: 2, least: 1, most: 100 },
  conns: { about: 'connections of the load', quick: 256, full: 256, least: 1, most: 2_000 },
  accounts: { about: 'buyers that take part', quick: 1_000, full: 3_000, least: 100, most: 100_000 },
}

export const pool = defineQuestion({
  name: 'pool',
  about: 'how fast so many places go to whoever comes first, each on disk, exactly as many as there are',
  options: poolOptions,
  ask: askPool,
})

type Options = Readonly<Record<keyof typeof poolOptions, number>>

/** First come, first served: ours against three designs that are published for it. */
async function askPool(bench: Bench, options: Options): Promise<Findings> {
  // The crowd of this question has guests of its own.
  const stage = await bench.open({ accounts: 1 })
  const load = new HelperProcess<PoolLoadCalls>(new URL('../load/pool-program.ts', import.meta.url))
  const crowd = { load, connections: options.conns, accounts: options.accounts }
  const peers = poolPeers.map((peer) => new PeerPools(peer, crowd))
  try {
    const { port, organiserKey } = stage.server
    bench.log(`${options.accounts} buyers come …`)
    await load.ask('guests', { port, connections: 128, count: options.accounts, organiserKey })
    for (const peer of peers) await peer.start(stage)
    return await new PoolQuestion({ stage, options, crowd, peers }).ask()
  } finally {
    for (const peer of peers) await peer.stop()
    await load.stop()
  }
}

interface Parts {
  readonly stage: Stage
  readonly options: Options
  readonly crowd: { load: HelperProcess<PoolLoadCalls>; connections: number; accounts: number }
  readonly peers: readonly PeerPools[]
}

class PoolQuestion {
  readonly #parts: Parts
  readonly #ours: OurPools
  readonly #windows: Window[] = []

  constructor(parts: Parts) {
    const { stage, crowd } = parts
    this.#parts = parts
    this.#ours = new OurPools(stage, crowd, stage.server)
  }

  async ask(): Promise<Findings> {
    const { peers, options } = this.#parts
    const series = poolKinds.flatMap((kind) => [
      new PoolSeries(this.#ours, kind, options.places),
      ...peers.map(
        (peer) => new PoolSeries(peer, kind, Math.min(options.places, peer.isSlow ? options.slow : Infinity)),
      ),
    ])
    for (const { design, kind, places } of series)
      await this.#turn(
        new PoolSeries(design, kind, Math.min(places, Math.max(warmUpPlaces, options.accounts))),
      )
    this.#windows.length = 0
    for (let round = 1; round <= options.rounds; round++) for (const one of series) await this.#turn(one)
    return {
      sides: series.map(({ name, turns }) => sideOf(name, turns)),
      rows: poolKinds.flatMap((kind) => poolRows(series.filter((one) => one.kind === kind))),
      checks: [...series.flatMap(({ tally }) => tally.checks()), ...(await this.#checkKilled())],
      windows: this.#windows,
    }
  }

  async #turn({ design, name, shape, turns, tally }: PoolSeries): Promise<void> {
    const { load } = this.#parts.crowd
    const { postgres, redis } = this.#parts.stage.stores
    const opened = await design.open(shape)
    const meters = {
      server: () => cpuMicrosOf(design.pid),
      load: () => cpuMicrosOf(load.pid),
      postgres: () => cpuMicrosOfFamily(postgres?.pid ?? 0),
      redis: () => cpuMicrosOf(redis?.pid ?? 0),
    }
    const { result, usedMicros, ...window } = await metered(meters, async () => ({
      taken: await opened.take(),
      lastCommitMicros: await opened.written(),
    }))
    const { taken, lastCommitMicros } = result
    if (design === this.#ours) this.#windows.push({ ...window, name })
    const standing = await opened.standing()
    const { counter } = await opened.close()
    tally.add({ shape, taken, standing, counter, soldOutCodes: design.soldOutCodes })
    const { firstAskedMicros, lastGivenMicros, p50Ms, p99Ms } = taken
    const perSecond = (count: number, untilMicros: number) =>
      (count * 1_000_000) / (untilMicros - firstAskedMicros)
    turns.push({
      perSecond: perSecond(standing.length, Math.max(lastCommitMicros ?? 0, lastGivenMicros)),
      answeredPerSecond: perSecond(taken.given.length, lastGivenMicros),
      p50Ms,
      p99Ms,
      cpuMicros: shares(usedMicros, taken.given.length),
    })
  }

  /** At a server of its own, beside the stage's. */
  async #checkKilled(): Promise<Check[]> {
    const { stage, crowd, options } = this.#parts
    const server = await startServerProcess(stage.stores)
    try {
      const shape = shapeOf(1, Math.min(options.places, killedPlaces))
      const pools = await new OurPools(stage, crowd, server).open(shape)
      return await checkKilled(stage, { pools, shape, pid: server.pid })
    } finally {
      await server.stop()
    }
  }
}
