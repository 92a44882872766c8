import { parseArgs } from 'node:util'
import { z } from 'zod'

export const demoHelp = `Sends simulated buyers through a running server, and checks from outside that it keeps its promises.

  npm run demo -- [options]

  --buyers N      how many come (200)
  --sale ID       the sale they come for; without it, all open sales get their share
  --url URL       the server (http://127.0.0.1:3000); may be given several times for several processes
  --key KEY       the organiser key, which lets guests be made in any number; else OPENRUN_ORGANISER_KEY,
                  else the file organiser-key in OPENRUN_DATA_DIR (.data)
  --seed N        the same seed gives the same crowd (1)
  --seconds N     send everybody home after so long (600)
  --help          this text

Ends with 0 when every promise was kept, with 1 when one was broken or no server could be reached.`

export interface DemoOptions {
  readonly buyers: number
  readonly saleId: string | undefined
  readonly urls: readonly string[]
  readonly key: string | undefined
  readonly seed: number
  readonly seconds: number
}

/** What is wrong with the command line, for whoever typed it. */
export class UsageError extends Error {
  override name = 'UsageError'
}

const count = (most: number) => z.coerce.number().int().min(1).max(most)

const shape = z.object({
  buyers: count(20_000).default(200),
  sale: z.string().optional(),
  url: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .default(['http://127.0.0.1:3000']),
  key: z.string().min(1).optional(),
  seed: z.coerce.number().int().default(1),
  seconds: count(86_400).default(600),
})

/** The options, or `help`. Throws UsageError. */
export function parseDemoOptions(argv: readonly string[]): DemoOptions | 'help' {
  const { help, ...given } = parsed(argv)
  if (help === true) return 'help'
  const checked = shape.safeParse(given)
  if (!checked.success) {
    const issue = checked.error.issues[0]
    throw new UsageError(`--${String(issue?.path[0])}: ${issue?.message ?? 'wrong'}`)
  }
  const { sale, url, ...rest } = checked.data
  return { ...rest, saleId: sale, urls: url, key: rest.key }
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        buyers: { type: 'string' },
        sale: { type: 'string' },
        url: { type: 'string', multiple: true },
        key: { type: 'string' },
        seed: { type: 'string' },
        seconds: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
