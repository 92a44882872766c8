/** What the crowd that comes in a rush can be asked. It keeps the accounts and their tokens to itself. */
export type RushCalls = {
  /** Makes guests, by the organiser's leave. */
  guests: {
    asked: { port: number; connections: number; count: number; organiserKey: string }
    answer: { made: number }
  }
  /** Sends the first so many of them through a store front: more and more, as many for a while, fewer and fewer. */
  rush: { asked: RushAsked; answer: RushHeard }
}

/** Steps of a visit. `join`, `standing`, `leave` and `book` are what applying takes. */
export const rushSteps = ['list', 'search', 'detail', 'sales', 'join', 'standing', 'leave', 'book'] as const
export type RushStep = (typeof rushSteps)[number]

/** A store that is looked at, and the sale that is held in it. */
export interface RushStore {
  readonly id: string
  readonly sale: string | undefined
}

export interface RushAsked {
  readonly port: number
  readonly users: number
  /** Which of the guests is the first to come. */
  readonly firstGuest: number
  readonly stages: RushStages
  /** Requests a second while everybody is there; before and after as many as their share of the users. */
  readonly perSecond: number
  /** Whether the visits begin with the list of all stores. */
  readonly lists: boolean
  readonly stores: readonly RushStore[]
  /** Names, of which parts are looked for, and kinds. */
  readonly words: readonly string[]
  readonly categories: readonly string[]
  /** The slots of every sale. */
  readonly units: readonly string[]
  readonly seed: number
}

/** In seconds. */
export interface RushStages {
  readonly up: number
  readonly hold: number
  readonly down: number
}

export interface RushHeard {
  readonly sent: number
  readonly answered: number
  /** While everybody was there. */
  readonly plateau: RushLatency & {
    readonly perSecond: number
    readonly bySteps: Readonly<Partial<Record<RushStep, RushLatency>>>
  }
  readonly whole: RushLatency
  /** Second by second, of what was due in it. */
  readonly seconds: readonly RushLatency[]
  readonly statuses: Readonly<Record<string, number>>
  /** Refusals that are part of the game, by their code: sold out, one's own limit. */
  readonly refusals: Readonly<Record<string, number>>
  /** Everything else that was no answer to what was asked. */
  readonly errors: number
  readonly errorExamples: readonly string[]
  /** Pages that were looked into, and those among them that were not what was asked for. */
  readonly pagesRead: number
  readonly pagesWrong: number
  /** First joins that were answered with a new place, and all joins of somebody who has one. */
  readonly newPlaces: number
  readonly samePlaces: number
  readonly booked: readonly { readonly order: string; readonly account: string }[]
}

/** From the moment a request was due to its answer. */
export interface RushLatency {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
}
