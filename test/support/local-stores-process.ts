import { startLocalStores, type LocalStoresOptions } from '../../src/db/local/local-stores.ts'
import { StartError } from '../../src/start-error.ts'

/*
 * A program that does nothing but to keep local stores, for tests that kill it. Its only argument is JSON with the
 * options; it says where the stores are, or why there are none, in one line of JSON.
 */

type Options = Omit<LocalStoresOptions, 'log'>

export type StoresProcessAnswer =
  | {
      readonly postgresUrl: string
      readonly redisUrl: string
      readonly pids: readonly number[]
      readonly log: readonly string[]
    }
  | { readonly error: string }

process.on('SIGINT', () => console.log('interrupted'))
const log: string[] = []
try {
  const options = JSON.parse(process.argv[2] ?? '{}') as Options
  const { postgresUrl, redisUrl, postgres, redis } = await startLocalStores({
    ...options,
    log: (l) => log.push(l),
  })
  answer({ postgresUrl, redisUrl, pids: [postgres?.pid ?? 0, redis?.pid ?? 0], log })
  setInterval(() => {}, 60_000)
} catch (error) {
  answer({ error: error instanceof StartError ? error.message : `no StartError: ${String(error)}` })
}

function answer(message: StoresProcessAnswer): void {
  console.log(JSON.stringify(message))
}
