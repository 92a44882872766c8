import { OneRedis } from './one-redis.ts'
import { redisAddresses } from './redis-address.ts'
import { RedisClusterSubscriber } from './redis-cluster-subscriber.ts'
import { RedisCluster } from './redis-cluster.ts'
import type { RedisServers, RedisServersOptions, RedisSubscriber } from './redis-servers.ts'
import { connectRedis, connectRedisSubscriber } from './redis.ts'

/** Connections to Redis, not yet begun. */
export function redisServers(options: RedisServersOptions): {
  redis: RedisServers
  subscriber: RedisSubscriber
} {
  const { redisUrl: url, isCluster, clock } = options
  if (!isCluster) {
    const redis = new OneRedis(connectRedis({ ...options, url }), clock)
    return { redis, subscriber: connectRedisSubscriber({ ...options, url }) }
  }
  const cluster = new RedisCluster({ ...options, seeds: redisAddresses(url) })
  return { redis: cluster, subscriber: new RedisClusterSubscriber(cluster, options) }
}
