/** What the program of multi-row inserts can be asked. */
export type MultiRowInsertsCalls = {
  /** Makes the organiser and the accounts in a database of the present schema. */
  prepare: { asked: { postgresUrl: string; accounts: readonly string[] }; answer: undefined }
  /** Writes one admission of each account to a sale of its own, so many in each statement, a commit for each. */
  run: { asked: { batch: number }; answer: Inserted }
}

export interface Inserted {
  readonly sale: string
  readonly rows: number
  readonly perSecond: number
  /** Of one statement. */
  readonly p50Ms: number
  readonly p99Ms: number
}
