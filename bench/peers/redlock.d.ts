/** The package's own types are not found by way of its `exports`; this is what is used of them. */
declare module 'redlock' {
  import type { Redis } from 'ioredis'

  interface Settings {
    readonly driftFactor: number
    readonly retryCount: number
    readonly retryDelay: number
    readonly retryJitter: number
    readonly automaticExtensionThreshold: number
  }

  export default class Redlock {
    constructor(clients: Iterable<Redis>, settings?: Partial<Settings>)
    using<T>(
      resources: string[],
      durationMs: number,
      routine: (signal: AbortSignal & { error?: Error }) => Promise<T>,
    ): Promise<T>
  }
}
