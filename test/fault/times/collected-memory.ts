import type { Server } from '../suite/server.ts'
import { found } from './patience.ts'

/** Collects the garbage of its process whenever it is asked to, and says what the heap has and what it uses of that. */
const collector = `
  import { setFlagsFromString } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  let times = 0
  process.on('SIGUSR2', () => {
    collect()
    const { heapTotal, heapUsed } = process.memoryUsage()
    console.log('collected', ++times, heapTotal - heapUsed)
  })`

/** What a server is started with, so that its garbage can be collected. */
export const collecting = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(collector)}`,
}

/** Resolves when there is no garbage, with the bytes that the heap keeps for later. */
export async function collectGarbage(server: Server): Promise<number> {
  const before = lastSaid(server)
  server.signal('SIGUSR2')
  const said = await found('garbage is collected', () => {
    const last = lastSaid(server)
    return last === before ? undefined : last
  })
  return Number(said?.split(' ')[2])
}

function lastSaid({ log }: Server): string | undefined {
  return log.findLast((line) => line.startsWith('collected '))
}
