import { setMaxListeners } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../clock.ts'

/**
 * Those who are told together. One event to ten thousand keeps a process for a tenth of a second, and the last of them
 * waits for all before: so a crowd is told group by group, each at its own moments, which drift apart by themselves
 * because each begins when the one before is done.
 */
export interface CrowdGroup {
  readonly number: number
  /** The position its members know. */
  seq: number
  toldAtMs: number
  members: number
  isDue: boolean
}

export interface CrowdGroupsOptions {
  readonly clock: Clock
  /** Time between two frames to the same group, when so many are there together. */
  readonly frameMs: (members: number) => number
  /** Tells a group what it does not know yet. */
  readonly tell: (group: CrowdGroup) => void
}

/** Members of a group before another one is begun, and how many groups there are at the most. */
const membersMax = 500
const groupsMax = 20

/** The groups of a crowd that all learn the same. The first one stays, so that things go on when nobody is there. */
export class CrowdGroups {
  readonly #options: CrowdGroupsOptions
  readonly #groups: CrowdGroup[]
  readonly #stopped = new AbortController()
  readonly #due: (() => void)[] = []
  #isTelling = false
  #members = 0

  /** @param seq where the crowd begins */
  constructor(options: CrowdGroupsOptions, seq: number) {
    this.#options = options
    this.#groups = [this.#begun(0, seq)]
    // Each group waits by itself.
    setMaxListeners(groupsMax + 2, this.#stopped.signal)
  }

  get all(): readonly CrowdGroup[] {
    return this.#groups
  }

  /** Somebody comes who knows what was told last: `seq`, at which a group stands or one is begun. */
  enter(seq: number): { readonly group: CrowdGroup; readonly leave: () => void } {
    const group = this.#groupAt(seq)
    group.members++
    this.#members++
    let isIn = true
    const leave = (): void => {
      if (!isIn) return
      isIn = false
      this.#members--
      if (--group.members === 0 && group.number > 0) this.#groups.splice(this.#groups.indexOf(group), 1)
    }
    return { group, leave }
  }

  /** There is something new: each group is told when its time has come. */
  schedule(): void {
    for (const group of this.#groups) if (!group.isDue) void this.#whenDue(group)
  }

  /** Does something with each group, and whatever else has arrived is read in between. */
  inTurn(work: (group: CrowdGroup) => void): void {
    for (const group of this.#groups) this.#due.push(() => work(group))
    void this.#work()
  }

  /** To be called when a group is told. */
  told(group: CrowdGroup, seq: number): void {
    group.seq = seq
    group.toldAtMs = this.#options.clock.nowMs()
  }

  stop(): void {
    this.#stopped.abort()
    this.#due.length = 0
  }

  #begun(number: number, seq: number): CrowdGroup {
    return { number, seq, toldAtMs: this.#options.clock.nowMs(), members: 0, isDue: false }
  }

  #groupAt(seq: number): CrowdGroup {
    const there = this.#groups.filter((one) => one.seq === seq).toSorted((a, b) => a.members - b.members)
    const [smallest] = there
    const hasRoom = smallest !== undefined && smallest.members < membersMax
    if (smallest !== undefined && (hasRoom || this.#groups.length >= groupsMax)) return smallest
    const numbers = new Set(this.#groups.map(({ number }) => number))
    let number = 1
    while (numbers.has(number)) number++
    const begun = this.#begun(number, seq)
    this.#groups.push(begun)
    // What the others are due to be told.
    if (this.#groups.some(({ isDue }) => isDue)) void this.#whenDue(begun)
    return begun
  }

  async #whenDue(group: CrowdGroup): Promise<void> {
    group.isDue = true
    const { clock, frameMs, tell } = this.#options
    const { signal } = this.#stopped
    const inMs = group.toldAtMs + frameMs(this.#members) - clock.nowMs()
    if (inMs > 0) await clock.wait(inMs, signal)
    if (signal.aborted) return
    this.#due.push(() => {
      group.isDue = false
      if (this.#groups.includes(group)) tell(group)
    })
    await this.#work()
  }

  async #work(): Promise<void> {
    if (this.#isTelling) return
    this.#isTelling = true
    try {
      for (let work = this.#due.shift(); work !== undefined; work = this.#due.shift()) {
        work()
        await nextTurn()
      }
    } finally {
      this.#isTelling = false
    }
  }
}
