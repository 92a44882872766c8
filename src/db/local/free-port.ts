import { createServer } from 'node:net'
import { StartError } from '../../start-error.ts'

/** A TCP port of 127.0.0.1 that nobody listens on. Another program may still be quicker: be ready to ask again. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

/** Runs `start` on a free port, and once more on another while somebody else takes the port in between. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort())
    } catch (error) {
      if (!(error instanceof PortTaken) || attempt === 5) throw error
    }
  }
}

export class PortTaken extends StartError {
  constructor() {
    super('No free port for a local store: other programs took each one that was tried')
  }
}
