import { z } from 'zod'
import { redisAddresses, splitRedisUrls } from './db/redis-address.ts'

const schemes = ['redis:', 'rediss:']

/** One address of Redis, or several separated by commas. */
export function redisUrls() {
  const isOne = (text: string): boolean => URL.canParse(text) && schemes.includes(new URL(text).protocol)
  return z
    .string()
    .refine(
      (text) => splitRedisUrls(text).every(isOne),
      'expected a URL that begins with redis:// or rediss://, or several of them separated by commas',
    )
}

interface RedisSettings {
  readonly redisUrl?: string | undefined
  readonly redisSentinelMaster?: string | undefined
  readonly redisSentinelPassword?: string | undefined
  readonly redisCluster: boolean
}

/** What is wrong with settings of Redis that are right one by one, a line each. */
export function wrongOfRedis(settings: RedisSettings): string[] {
  const { redisUrl, redisSentinelMaster: master, redisSentinelPassword: password, redisCluster } = settings
  if (master !== undefined && redisCluster)
    return ['OPENRUN_REDIS_SENTINEL_MASTER and OPENRUN_REDIS_CLUSTER are both set: Redis is one or the other']
  if (password !== undefined && master === undefined)
    return ['OPENRUN_REDIS_SENTINEL_PASSWORD is set without OPENRUN_REDIS_SENTINEL_MASTER']
  if (redisUrl === undefined && master !== undefined)
    return ['OPENRUN_REDIS_SENTINEL_MASTER needs the addresses of the Sentinels in REDIS_URL']
  if (redisUrl === undefined && redisCluster)
    return ['OPENRUN_REDIS_CLUSTER needs addresses of nodes in REDIS_URL']
  if (redisUrl === undefined) return []
  const addresses = redisAddresses(redisUrl)
  if (addresses.length > 1 && master === undefined && !redisCluster)
    return [
      'REDIS_URL names several servers: set OPENRUN_REDIS_SENTINEL_MASTER or OPENRUN_REDIS_CLUSTER to say what they are',
    ]
  if (redisCluster && addresses.some(({ database }) => database !== 0))
    return ['REDIS_URL names a database: a cluster has only the first, 0']
  return []
}
