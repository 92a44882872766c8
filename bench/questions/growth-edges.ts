import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { cpuMicrosOf } from '../measure/cpu-time.ts'
import { closeSales, pausedSales, type GrowthParts, type Part } from './growth-parts.ts'
import { rowOf } from '../measure/rows.ts'
import { median } from '../measure/series.ts'
import { startServerProcess, type ServerProcess } from '../stage/server-process.ts'
import { check, timed, type Check, type Turn, type Window } from '../measure/turn.ts'

/** Times that every account joins in one turn, a sale each. */
const salesOfTurn = 2

/**
 * How many join in a second at one process and at two, and what that costs both together: the first one has every role,
 * the second is an edge and nothing else.
 */
export async function askEdges(parts: GrowthParts): Promise<Part> {
  const { stores } = parts.stage
  const second = await startServerProcess({ ...stores, env: { OPENRUN_ROLES: 'edge' } })
  try {
    return await new Edges(parts, second).ask()
  } finally {
    await second.stop()
  }
}

class Edges {
  readonly #parts: GrowthParts
  readonly #second: ServerProcess
  readonly #checks: Check[] = []
  readonly #windows: Window[] = []

  constructor(parts: GrowthParts, second: ServerProcess) {
    this.#parts = parts
    this.#second = second
  }

  async ask(): Promise<Part> {
    const { rounds } = this.#parts.options
    // Each of them meets each token once.
    await this.#turn('warm-up of the first', [this.#parts.stage.server])
    await this.#turn('warm-up of the second', [this.#second])
    const [one, two]: [Turn[], Turn[]] = [[], []]
    this.#windows.length = 0
    for (let round = 1; round <= rounds; round++) {
      one.push(await this.#turn(`1 edge, ${round}`, [this.#parts.stage.server]))
      two.push(await this.#turn(`2 edges, ${round}`, [this.#parts.stage.server, this.#second]))
    }
    return this.#told(one, two)
  }

  #told(one: readonly Turn[], two: readonly Turn[]): Part {
    const rate = (turns: readonly Turn[]) => turns.map(({ perSecond }) => perSecond)
    const cpu = (turns: readonly Turn[]) => turns.map(({ cpuMicros }) => cpuMicros['server'] ?? Number.NaN)
    const others = (turns: readonly Turn[]) =>
      turns.map(({ cpuMicros }) => (cpuMicros['load'] ?? Number.NaN) + (cpuMicros['redis'] ?? Number.NaN))
    const name = '1 edge'
    const times = (median(rate(two)) / median(rate(one))).toFixed(2)
    const share = median(others(two)) / (median(others(two)) + median(cpu(two)))
    return {
      rows: [
        rowOf({
          metric: 'joins by 2 edges',
          unit: 'a second',
          ours: rate(two),
          peer: { name, figures: rate(one) },
        }),
        rowOf({
          metric: 'CPU of all edges for a join, 2 edges',
          unit: 'µs',
          ours: cpu(two),
          peer: { name, figures: cpu(one) },
        }),
      ],
      curves: [
        {
          title: 'Joins and edge processes',
          x: { name: 'edge processes', unit: '' },
          y: { name: 'joins', unit: 'a second' },
          isLog: false,
          lines: [
            {
              name: 'joins',
              points: [
                [1, median(rate(one))],
                [2, median(rate(two))],
              ],
            },
          ],
          note:
            `The second edge gives ${times} times the joins; a join costs the edges ${median(cpu(one)).toFixed(0)} µs ` +
            `with one and ${median(cpu(two)).toFixed(0)} µs with two. What bends it here is the machine: of the ` +
            `processor time of a join with two edges ${(share * 100).toFixed(0)} % are the load’s and Redis’, on the same cores.`,
        },
      ],
      checks: this.#checks,
      windows: this.#windows,
    }
  }

  async #turn(name: string, servers: readonly ServerProcess[]): Promise<Turn> {
    const { stage, crowd, options } = this.#parts
    const sales = await pausedSales(stage, salesOfTurn)
    const meters = {
      server: () => [stage.server, this.#second].reduce((sum, { pid }) => sum + cpuMicrosOf(pid), 0),
      load: () => cpuMicrosOf(crowd.pid),
      redis: () => cpuMicrosOf(stage.stores.redis?.pid ?? 0),
    }
    const connections = Math.ceil(options.conns / servers.length)
    const targets = servers.map(({ port }) => ({ port, connections }))
    const rounds = sales.map((sale) => [sale])
    const { result, cpuMicros, ...window } = await timed(
      meters,
      () => crowd.ask('join', { targets, rounds, count: options.accounts }),
      ({ done }) => done,
    )
    this.#windows.push({ ...window, name: 'joins at edges' })
    const expected = options.accounts * sales.length
    const found = await waitingIn(this.#parts, sales)
    this.#checks.push(
      check(`${name}: joins answered 201`, expected, result.statuses['201'] ?? 0),
      check(`${name}: places in the lines`, expected, found.places),
      check(`${name}: different places`, expected, found.different),
    )
    await closeSales(stage, sales)
    const { perSecond, p50Ms, p99Ms } = result
    return { perSecond, p50Ms, p99Ms, cpuMicros }
  }
}

/** Places in lines, as Redis has them, and how many are different by sale and number. */
export async function waitingIn(
  { stage }: Pick<GrowthParts, 'stage'>,
  sales: readonly string[],
): Promise<{ places: number; different: number }> {
  const numbers = await Promise.all(
    sales.map(async (sale) => {
      const line = await stage.redis.zrange(saleKeys(sale).queue, 0, -1, 'WITHSCORES')
      return line.filter((_, index) => index % 2 === 1).map((sequence) => `${sale} ${sequence}`)
    }),
  )
  const all = numbers.flat()
  return { places: all.length, different: new Set(all).size }
}
