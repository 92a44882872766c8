import { parseArgs } from 'node:util'

export interface FaultOptions {
  /** How long rounds are begun; 0: each fault once, in a few rounds. */
  readonly minutes: number
  readonly seed: number
  readonly buyers: number
  /** Only faults whose names contain this. */
  readonly only: string | undefined
  /** The guard to take out, or `all` for one after another. */
  readonly without: string | undefined
  /** Measure instead: how long things take to be well again. */
  readonly times: boolean
}

export const faultsHelp = `npm run test:faults -- [options]

Starts real servers and stores, breaks them while buyers come, and holds what happened against the eight promises.

  --minutes N     begin rounds for so long; left out: each fault once, in about four minutes
  --seed N        the same faults at the same moments again, as far as a machine allows
  --buyers N      buyers in a round (240)
  --only TEXT     only faults whose name contains it, or one of several: A|B
  --without NAME  take a guard out and see that it is missed; all: one after another
  --times         measure how long things take to be well again; --only TEXT: only questions whose names contain it, or one of several
  --help          this text`

/** Throws an error with one line for whoever typed it. */
export function parseFaultOptions(argv: readonly string[]): FaultOptions | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      minutes: { type: 'string', default: '0' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      buyers: { type: 'string', default: '240' },
      only: { type: 'string' },
      without: { type: 'string' },
      times: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const whole = (name: 'minutes' | 'seed' | 'buyers', least: number): number => {
    const value = Number(values[name])
    if (!Number.isFinite(value) || value < least)
      throw new Error(`--${name} takes a number of at least ${least}`)
    return value
  }
  return {
    minutes: whole('minutes', 0),
    seed: Math.trunc(whole('seed', 0)),
    buyers: Math.trunc(whole('buyers', 2)),
    only: values.only,
    without: values.without,
    times: values.times,
  }
}
