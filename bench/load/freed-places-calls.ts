import type { Driven } from './drive.ts'

/** What the crowd that gives places back can be asked. It keeps the accounts and their tokens to itself. */
export type FreedPlacesCalls = {
  /** Makes guests, by the organiser's leave; answers their ids. */
  guests: {
    asked: { port: number; connections: number; count: number; organiserKey: string }
    answer: string[]
  }
  /** All join a line. */
  join: { asked: { port: number; connections: number; sale: string }; answer: Driven }
  /** Each listens on a WebSocket, in the order of the line; answers when each was told something. */
  listen: { asked: { port: number; sale: string; order: readonly string[] }; answer: { opened: number } }
  /** Answers when the first so many of the line have their tokens, or after some seconds. */
  insideAre: { asked: { count: number; seconds: number }; answer: { inside: number } }
  /**
   * Those who were let in first give their places back, so many a second; answers when as many others were let in for
   * them, or some seconds after the last.
   */
  free: { asked: { port: number; sale: string; perSecond: number; count: number }; answer: Freed }
  /** What the whole line has heard so far. */
  heard: { asked: undefined; answer: FreedHeard }
  leave: { asked: undefined; answer: undefined }
}

export interface Freed {
  /** Places given back, by the server's answers. */
  readonly freed: number
  /** From the request that gave a place back to the token that this led to, at the client. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly mostMs: number
  /** Tokens that never came. */
  readonly missing: number
  /** From the request to its own answer. */
  readonly answerP99Ms: number
  /** How much later than they should have the requests were sent. */
  readonly lateP99Ms: number
  /** Those whose turn to give a place back came before they had one. */
  readonly notInside: number
}

export interface FreedHeard {
  readonly admitted: number
  readonly admittedTwice: number
  /** Without a token. */
  readonly empty: number
  readonly cutOff: number
  /** Somebody behind them in the line was let in, and they are not. */
  readonly passedOver: number
}
