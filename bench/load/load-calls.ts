import type { Driven } from './drive.ts'
import type { LineJudgement } from './line-judge.ts'

interface Target {
  readonly port: number
  readonly connections: number
}

/** What the load program can be asked. It keeps the accounts, their tokens and their holds to itself. */
export type LoadCalls = {
  /** Makes guests, by the organiser's leave; answers their ids. */
  guests: { asked: Target & { count: number; organiserKey: string }; answer: string[] }
  /** Each account, or only the first so many, joins each sale once, sale after sale, until the time is up or all have. */
  join: { asked: Target & { sales: readonly string[]; seconds: number; count?: number }; answer: Driven }
  /** Asks for each account's purchase token in a sale that it has joined, until all have theirs. */
  admission: { asked: Target & { sale: string }; answer: { admitted: number } }
  /** Takes holds of one place each until there are so many that no order was made of. */
  hold: { asked: Target & Stock & { count: number }; answer: Driven }
  /** Orders what is held. */
  order: { asked: Target & { seconds: number }; answer: Driven & { booked: number } }
  /** Takes a hold of one place and orders it, again and again. */
  holdAndOrder: { asked: Target & Stock & { seconds: number }; answer: Driven & { booked: number } }
  /**
   * Listens to a line on a connection for each account of it, in its order; answers when each was told a position.
   * `streams`: the part of them that takes event streams, the others take WebSockets.
   */
  waitInLine: {
    asked: { port: number; sale: string; order: readonly string[]; streams: number }
    answer: { opened: number }
  }
  /** Holds what the line was told within a time, in milliseconds of the wall clock, against when it was let in. */
  judgeLine: {
    asked: { fromMs: number; toMs: number; perSecond: number }
    answer: LineJudgement & { admitted: { count: number; p50Ms: number; p99Ms: number } }
  }
  /** Answers when the whole line has been let in, or after some seconds. */
  admittedAll: { asked: { seconds: number }; answer: LineHeard }
  leaveLine: { asked: undefined; answer: undefined }
  /** Some accounts ask where they stand, again and again. */
  poll: { asked: Target & { sale: string; waiters: readonly string[]; seconds: number }; answer: Driven }
  /** Watches a map; answers when each viewer has the whole of it. */
  watchMap: {
    asked: {
      port: number
      sale: string
      seats: number
      viewers: number
      over: 'sockets' | 'streams' | 'socket.io'
    }
    answer: { opened: number }
  }
  /** From now on it is noted what the viewers are told. */
  beginMap: { asked: undefined; answer: undefined }
  /** Answers when all viewers stand at a position `epoch:seq`, or after some seconds. */
  mapReached: { asked: { position: string; seconds: number }; answer: { elsewhere: number } }
  /** `stamps`: when each change was made, in microseconds of the monotonic clock, the one with `firstSeq` first. */
  mapTold: { asked: { firstSeq: number; stamps: readonly number[] }; answer: MapTold }
  /** Compares every viewer's picture with the seats of a snapshot. */
  compareMaps: { asked: { position: string; seats: string }; answer: { different: number } }
  leaveMap: { asked: undefined; answer: undefined }
  /** So many of the accounts go into a room; answers when each is told where it is. */
  joinChat: { asked: { port: number; store: string; members: number }; answer: { opened: number } }
  /** From now on it is noted what the members are told. */
  beginChat: { asked: undefined; answer: undefined }
  /** Members say so many things, one after another; answers how many the server has written. */
  talkChat: { asked: { count: number; perSecond: number }; answer: { written: number } }
  /** Answers when all members stand at a position `epoch:seq`, or after some seconds. */
  chatReached: { asked: { position: string; seconds: number }; answer: { elsewhere: number } }
  /** `saidAtMicros`: when each message was said, where that was not here. */
  chatTold: { asked: { saidAtMicros?: readonly number[] }; answer: ChatTold }
  leaveChat: { asked: undefined; answer: undefined }
  /** Each account in turn says something in one of the rooms, again and again, or so many of them once. */
  talkInRooms: {
    asked: Target & { stores: readonly string[]; seconds: number; round: number; count?: number }
    answer: Driven
  }
}

export interface ChatTold {
  /** As one of the members was told them. */
  readonly frames: readonly ToldFrame[]
  /** Which messages are in each of them. */
  readonly messagesOf: readonly (readonly number[])[]
  /** Messages times members. */
  readonly messages: number
  /** Frames times members. */
  readonly receipts: number
  /** From the saying of a message to each member, and to the last of them. */
  readonly each: MapLatency
  readonly last: MapLatency
  readonly written: number
  readonly refused: number
  readonly gaps: number
  readonly cutOff: number
}

/** What a line heard beside positions. */
export interface LineHeard {
  readonly admitted: number
  readonly admittedTwice: number
  /** Let in later than somebody behind them. */
  readonly overtaken: number
  readonly toldAfterAdmission: number
  /** Connections that ended before their time. */
  readonly cutOff: number
  /** Positions beyond what can be kept. */
  readonly notKept: number
  /** Other events, by type. */
  readonly others: Readonly<Record<string, number>>
}

export interface MapTold {
  /** Frames with changes, as one of the viewers was told them. */
  readonly frames: readonly ToldFrame[]
  /** Frames times viewers. */
  readonly receipts: number
  /** From the oldest change in a frame to each viewer. */
  readonly each: MapLatency
  /** From each change to the last of all viewers. */
  readonly last: MapLatency
  /** Deltas that did not follow what a viewer knew. */
  readonly gaps: number
  readonly cutOff: number
  readonly notKept: number
}

export interface ToldFrame {
  readonly text: string
  /** When it was heard. */
  readonly atMicros: number
  /** The position after it. */
  readonly id: string
  readonly prev: number
  readonly seq: number
}

export interface MapLatency {
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What is sold: the units of a sale, each account taking so many places at the most. */
export interface Stock {
  readonly sale: string
  readonly units: readonly string[]
  readonly perAccount: number
}
