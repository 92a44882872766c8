import type { Taken } from '../load/pool-calls.ts'

/** So many pools with so many places each, of which more are wanted than there are. */
export interface PoolShape {
  readonly pools: number
  readonly capacity: number
  /** Requests, to each pool as many. */
  readonly asked: number
}

/** A way to give the places of pools to whoever comes first: ours, or a peer's. */
export interface PoolDesign {
  readonly name: string
  readonly pid: number
  /** Whether whoever is told of a place has it even if everything ends at that moment. */
  readonly isDurableWhenAnswered: boolean
  /** Why a place is not given when none is left. */
  readonly soldOutCodes: readonly string[]
  /** Makes new pools, and whatever the crowd needs before it may ask for their places. */
  open(shape: PoolShape): Promise<OpenPools>
}

export interface OpenPools {
  /** The crowd asks, until all have their answer. */
  take(): Promise<Taken>
  /**
   * Resolves when all that was given is in PostgreSQL.
   * @returns the moment of the last commit, where places are given before they are there
   */
  written(): Promise<number | null>
  /** All places that PostgreSQL calls given, by the names that the crowd was told. */
  standing(): Promise<readonly Standing[]>
  /** Resolves when nothing more is done for these pools, with what else is to be counted. */
  close(): Promise<{ readonly counter: number | null }>
}

export interface Standing {
  readonly place: string
  readonly pool: number
  /** From 1 to the pool's capacity. */
  readonly no: number
}
