import type { Driven } from './drive.ts'

/** What the crowd with tokens of its own can be asked. */
export type UnseenCalls = {
  /**
   * Each token joins once, until the time is up or none are left.
   * @param perSale how many of them join a sale before the next one's turn
   */
  join: {
    asked: {
      port: number
      connections: number
      seconds: number
      sales: readonly string[]
      tokens: readonly string[]
      perSale: number
    }
    answer: Driven
  }
}
