import type { AvailabilitySnapshot } from '../../src/domain/units/unit-messages.ts'
import type { LoadCalls } from './load-calls.ts'

/** What a crowd can be asked that is cut off and comes back. */
export type StormCalls = {
  guests: LoadCalls['guests']
  join: LoadCalls['join']
  /** Listens to a line, in its order, and watches a map; half of each on event streams. Answers when all know how it stands. */
  gather: {
    asked: { port: number; line: string; order: readonly string[]; map: string; viewers: number }
    answer: { opened: number }
  }
  /** Cuts all connections at once; answers when, by the wall clock. */
  cut: { asked: undefined; answer: { cutAtMs: number } }
  /** From now on whoever is cut off is to come back. */
  expectCut: { asked: undefined; answer: undefined }
  /** Answers when all are back, or after some seconds. */
  back: { asked: { cutAtMs: number; seconds: number }; answer: StormBack }
  /**
   * Holds what each of the line was told first after coming back against when each of it was let in, in milliseconds
   * of the wall clock, NaN of whom is still in it.
   */
  judge: { asked: { admittedAtMs: readonly number[]; perSecond: number }; answer: StormJudgement }
  /** Compares what those still in line were told last with where they stand. */
  comparePositions: { asked: { inLine: readonly string[] }; answer: { different: number } }
  /** Waits until each viewer stands where a snapshot does, some seconds at the most, and compares the pictures. */
  compareMaps: { asked: { snapshot: AvailabilitySnapshot; seconds: number }; answer: { different: number } }
  /** Answers when the whole line has been let in, or after some seconds. */
  admittedAll: { asked: { seconds: number }; answer: StormHeard }
  leave: { asked: undefined; answer: undefined }
}

export interface StormBack {
  /** Connections that ended. */
  readonly cut: number
  /** Of them, those who know again how things stand. */
  readonly back: number
  /** From the cut until they knew it. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly lastMs: number
  /** Connections that it took, for each who came back. */
  readonly attempts: number
  /** Viewers who were told what they had missed, and those who were told the whole map again. */
  readonly mapsResumed: number
  readonly mapsWhole: number
}

export interface StormJudgement {
  readonly right: number
  /** Who was told something else than was true, or nothing. */
  readonly wrong: number
}

/** What was heard from beginning to end. */
export interface StormHeard {
  readonly admitted: number
  /** Who heard of more than one admission. */
  readonly admittedTwice: number
  /** Who heard at any time that they had no place. */
  readonly absent: number
  /** Changes of the map that did not follow what a viewer knew. */
  readonly gaps: number
}
