import { askEdges } from './growth-edges.ts'
import { askHalls } from './growth-halls.ts'
import type { GrowthParts, Part } from './growth-parts.ts'
import { askSales } from './growth-sales.ts'
import { HelperProcess } from '../stage/helper-process.ts'
import type { GrowthCalls } from '../load/growth-calls.ts'
import { defineQuestion, turnOptions } from '../question.ts'
import type { Findings } from '../measure/turn.ts'

export const growth = defineQuestion({
  name: 'growth',
  about: 'what it costs to have more edges, more sales at once, larger halls',
  options: {
    ...turnOptions({ seconds: [1.5, 3], rounds: [1, 2] }),
    conns: { about: 'connections of the load', quick: 128, full: 128, least: 2, most: 2_000 },
    accounts: {
      about: 'joins, and bookings, of a turn',
      quick: 2_000,
      full: 10_000,
      least: 200,
      most: 45_000,
    },
  },
  ask: async (bench, options) => {
    const stage = await bench.open({ accounts: 1 })
    const crowd = new HelperProcess<GrowthCalls>(new URL('../load/growth-program.ts', import.meta.url))
    try {
      const { port, organiserKey } = stage.server
      await crowd.ask('guests', { port, connections: 128, count: options.accounts, organiserKey })
      return await askAll({ stage, crowd, options, log: (line) => bench.log(line) })
    } finally {
      await crowd.stop()
    }
  },
})

/** Halls last: they make Redis forget everything. */
async function askAll(parts: GrowthParts): Promise<Findings> {
  const found: Part[] = []
  for (const [name, ask] of [
    ['edges', askEdges],
    ['sales at once', askSales],
    ['halls', askHalls],
  ] as const) {
    const beganMs = Date.now()
    found.push(await ask(parts))
    parts.log(`${name}: ${Math.round((Date.now() - beganMs) / 1000)} s`)
  }
  return {
    sides: [],
    rows: found.flatMap(({ rows }) => rows),
    curves: found.flatMap(({ curves }) => curves),
    checks: found.flatMap(({ checks }) => checks),
    windows: found.flatMap(({ windows }) => windows),
  }
}
