/** What the Fastify server can be asked. */
export type FastifyJoinCalls = {
  /** @param jwksUrl where the keys are published that sign the access tokens */
  listen: { asked: { redisUrl: string; jwksUrl: string; issuer: string }; answer: { port: number } }
}

/** The sorted set of a sale's line, account → number. */
export const lineKey = (sale: string): string => `sale:${sale}:line`

/** The last number given in it. */
export const sequenceKey = (sale: string): string => `sale:${sale}:sequence`
