import { createServer } from 'node:net'

/**
 * A free port below those that the system gives to connections: while nobody listens on it, one of the thousands that try
 * to reach it would sooner or later be given it, and reach itself.
 */
export async function freeLowPort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
  throw new Error('no port is free')
}
