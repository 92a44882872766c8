import { Redis } from 'ioredis'

/** A look into Redis beside the server's own connections. It waits for as long as Redis takes, over restarts, too. */
export function patientRedis(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null })
  redis.on('error', () => undefined)
  return redis
}
