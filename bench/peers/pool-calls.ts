/** What each of the programs that give out the places of pools can be asked. */
export type PoolCalls = {
  /** Answers the port on which `POST /pools/{pool}/coupons` is served. */
  listen: { asked: { postgresUrl: string; redisUrl: string }; answer: { port: number } }
  /** Makes new pools of so many places each; answers their ids. */
  open: { asked: { pools: number; capacity: number }; answer: { ids: number[] } }
  /**
   * Answers when nothing waits to be written any more, with the moment of the last commit in microseconds of the
   * machine's monotonic clock; null where every answer was written before it was given.
   */
  drained: { asked: undefined; answer: { lastCommitMicros: number | null } }
}
