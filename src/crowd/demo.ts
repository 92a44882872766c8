import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isCode, ConnectionError } from '../client/api-error.ts'
import { systemTime } from '../client/client-ports.ts'
import { NoSaleError, runCrowd, type CrowdPhase } from './crowd.ts'
import { demoHelp, parseDemoOptions, UsageError, type DemoOptions } from './demo-options.ts'
import { keepAliveFetch } from './keep-alive-fetch.ts'
import { NodeSocket } from './node-socket.ts'
import { ProgressDisplay } from './progress-display.ts'
import { closingLines } from './progress-table.ts'
import type { SaleOffer } from './sale-offer.ts'
import { Tally } from './tally.ts'
import { isKept } from './verdict.ts'

/** Short calls of a whole crowd share so many connections. */
const connectionsMax = 128

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${lineFor(error)}\n`)
  return 1
})
// Connections that say goodbye need not be waited for.
process.exit()

async function main(argv: readonly string[]): Promise<number> {
  const options = parseDemoOptions(argv)
  if (options === 'help') {
    process.stdout.write(`${demoHelp}\n`)
    return 0
  }
  return await demo(options)
}

async function demo(options: DemoOptions): Promise<number> {
  const display = new ProgressDisplay({ out: process.stdout, nowMs: () => systemTime.nowMs() })
  const tally = new Tally()
  let offers: readonly SaleOffer[] = []
  const onPhase = (phase: CrowdPhase): void => {
    if (phase.name === 'guests') {
      offers = phase.offers
      offers.forEach((offer, index) =>
        tally.expect(offer.sale.id, share(options.buyers, offers.length, index)),
      )
      display.say(`${options.buyers} buyers, ${offers.length} sales, seed ${options.seed}`)
    } else if (phase.name === 'visits') {
      display.start(offers, tally)
    } else {
      display.stop(offers, tally)
      display.say('Everybody is gone. Looking at what stands …\n')
    }
  }
  const report = await runCrowd({
    ...options,
    organiserKey: options.key ?? (await knownOrganiserKey()),
    fetch: keepAliveFetch({ connectionsMax }).fetch,
    WebSocket: NodeSocket,
    time: systemTime,
    signal: endOfDemo(options.seconds),
    onPhase,
    onEntry: (entry) => tally.add(entry),
  })
  for (const line of closingLines(report.offers, tally, report.verdict)) display.say(line)
  return isKept(report.verdict) ? 0 : 1
}

/** Ctrl-C sends everybody home and judges; a second one ends at once. */
function endOfDemo(seconds: number): AbortSignal {
  const end = new AbortController()
  void systemTime.wait(seconds * 1_000, end.signal).then(() => end.abort())
  process.once('SIGINT', () => {
    end.abort()
    process.once('SIGINT', () => process.exit(1))
  })
  return end.signal
}

async function knownOrganiserKey(): Promise<string | undefined> {
  const { OPENRUN_ORGANISER_KEY: key, OPENRUN_DATA_DIR: folder = '.data' } = process.env
  if (key !== undefined && key !== '') return key
  const text = await readFile(join(folder, 'organiser-key'), 'utf8').catch(() => '')
  return text.trim() === '' ? undefined : text.trim()
}

/** Buyer k goes to sale k modulo the number of sales. */
function share(buyers: number, sales: number, index: number): number {
  return Math.ceil((buyers - index) / sales)
}

function lineFor(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\nSee npm run demo -- --help`
  if (error instanceof ConnectionError) return `${error.message}. Is it running? Start one with npm start.`
  if (error instanceof NoSaleError) return error.message
  if (isCode(error, 'unauthenticated'))
    return 'The organiser key is not one of this server: give another one with --key.'
  if (isCode(error, 'too_many_requests')) {
    return 'Without the organiser key only a few guests a minute are made: give it with --key.'
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
