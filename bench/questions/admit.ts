import { askFreedPlaces } from './admit-freed.ts'
import { askAdmitRate } from './admit-rate.ts'
import { UsageError } from '../bench-options.ts'
import { connectionsMax, defineQuestion, turnOptions } from '../question.ts'
import type { Findings } from '../measure/turn.ts'

const admitOptions = {
  ...turnOptions({ seconds: [5, 12], rounds: [1, 3] }),
  line: {
    about: 'length of the line that is let in at once, without connections',
    quick: 20_000,
    full: 200_000,
    least: 1_000,
    most: 1_000_000,
  },
  conns: {
    about: 'waiters with a WebSocket while places become free',
    quick: 10_000,
    full: 10_000,
    least: 100,
    most: connectionsMax,
  },
  inside: { about: 'people who may be in at once meanwhile', quick: 50, full: 50, least: 1, most: 10_000 },
  rate: { about: 'places given back in a second', quick: 20, full: 20, least: 1, most: 1_000 },
}

export const admit = defineQuestion({
  name: 'admit',
  about: 'how many can be let in in a second, and how soon a place that became free is the next one’s',
  options: admitOptions,
  ask: async (bench, options) => {
    const freed = (options.rounds * options.seconds + 2) * options.rate
    if (freed + options.inside > options.conns)
      throw new UsageError(`${options.conns} waiters are let in too soon: more --conns or a lower --rate`)
    const stage = await bench.open({ accounts: 1 })
    // Not the other way round: a long line that was let in is work for PostgreSQL afterwards too.
    const places = await askFreedPlaces(stage, options)
    return both(await askAdmitRate(stage, options), places)
  },
})

function both(first: Findings, second: Findings): Findings {
  return {
    sides: [...first.sides, ...second.sides],
    rows: [...first.rows, ...second.rows],
    figures: [...(first.figures ?? []), ...(second.figures ?? [])],
    checks: [...first.checks, ...second.checks],
    windows: [...first.windows, ...second.windows],
  }
}
