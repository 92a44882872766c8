/** What the program of single commits can be asked. */
export type OneRowCommitsCalls = {
  /** Makes a sale and its accounts in a database of the present schema. */
  prepare: {
    asked: {
      postgresUrl: string
      connections: number
      accounts: readonly string[]
      slots: number
      capacity: number
    }
    answer: undefined
  }
  /** Books as long as the time lasts. */
  run: { asked: { seconds: number; perAccount: number }; answer: Committed }
}

export interface Committed {
  readonly booked: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}
