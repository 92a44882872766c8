import { StartError } from './start-error.ts'

/** Node versions for which the web server brings a binary that runs on Debian 12. */
const nodeOldest = 20

/** Ends the process with one line for whoever started it, and with a stack trace only for a mistake of ours. */
function giveUp(error: unknown): never {
  const isOurs = !(error instanceof StartError)
  process.stderr.write(`${isOurs && error instanceof Error ? error.stack : (error as Error).message}\n`)
  process.exit(1)
}

const major = Number(process.versions.node.split('.')[0])
if (major < nodeOldest)
  giveUp(new StartError(`Openrun needs Node ${nodeOldest} or newer; this is ${process.version}.`))

// Imported only now, because an older Node could not even load it.
const { start } = await import('./start.ts')
await start({ env: process.env, argv: process.argv.slice(2) }).catch(giveUp)
