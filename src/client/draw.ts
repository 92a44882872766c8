import { parseArgs } from 'node:util'
import { isCode } from './api-error.ts'
import { checkDraw } from './draw-checking.ts'
import { OpenrunClient } from './openrun-client.ts'

const usage =
  'Usage: npm run draw -- --url http://127.0.0.1:3000 --sale sal_… [--entry ent_…] [--commitment …]'

/** Recomputes a draw and says what was found; resolves to the exit code. */
async function main(say: (line: string) => void): Promise<number> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      sale: { type: 'string' },
      entry: { type: 'string' },
      commitment: { type: 'string' },
    },
  })
  const { url, sale, entry, commitment: noted } = values
  if (url === undefined || sale === undefined) {
    say(usage)
    return 2
  }
  const { faults, order, commitment } = await checkDraw(new OpenrunClient({ baseUrl: url }), sale, noted)
  for (const fault of faults) say(`WRONG  ${fault}`)
  const place = entry === undefined ? 0 : order.indexOf(entry)
  if (place < 0) say(`WRONG  ${entry} is not among the entries.`)
  if (faults.length > 0 || place < 0) return 1
  say(`The draw of ${order.length} entries is as it was published.`)
  order.slice(0, 10).forEach((first, index) => say(`${String(index + 1).padStart(6)}  ${first}`))
  if (entry !== undefined) say(`${entry} was drawn as number ${place + 1}.`)
  say(`The commitment is ${commitment}${noted === undefined ? '' : ', as it was noted'}.`)
  say('This shows that the order follows from the commitment and the entries.')
  if (noted === undefined) {
    say(
      'That the commitment is older than the entries only who noted it then can tell: --commitment compares it.',
    )
  }
  say('It does not show that whoever runs the server, and knew the seed, made no entry to suit it.')
  return 0
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)
try {
  process.exitCode = await main(say)
} catch (error) {
  say(isCode(error, 'no_draw') ? 'Nothing is drawn in this sale.' : String(error))
  process.exitCode = 1
}
