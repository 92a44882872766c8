import { Subject, type Observable, type Subscription } from 'rxjs'
import type { Clock } from '../clock.ts'
import type { UnitTable } from '../domain/sales/unit-table.ts'
import { DeltaRing } from '../domain/units/delta-ring.ts'
import { packSeats } from '../domain/units/seat-bits.ts'
import type { AvailabilityDelta, AvailabilitySnapshot } from '../domain/units/unit-messages.ts'
import { CrowdGroups, type CrowdGroup } from './crowd-groups.ts'
import type { MapPicture, UnitMap } from './unit-map.ts'

/** What viewers are told. `id` is the position after it. */
export type MapEvent =
  | { readonly type: 'snapshot'; readonly id: string; readonly data: AvailabilitySnapshot }
  | { readonly type: 'delta'; readonly id: string; readonly data: AvailabilityDelta }

export interface MapViewOptions {
  readonly saleId: string
  readonly units: UnitTable
  readonly map: UnitMap
  readonly clock: Clock
  readonly onFrame?: () => void
}

/** Where a viewer is told, and what it has to hear first. */
export interface Viewing {
  readonly event: MapEvent
  /** Of its group: what is told to the group from now on follows the event. */
  readonly group: number
  readonly leave: () => void
}

/** Time between two frames: 50 ms, and longer where many watch, because each of them costs some 10 µs a frame. */
const frame = { leastMs: 50, mostMs: 1000, perViewerMs: 0.01 } as const
/** How long nothing may be told before the position is, so that a viewer that missed the last delta learns of it. */
const silentAtMostMs = 10_000
/** A map that cannot be read is asked for this often. */
const readAgainMs = 1000
/** Unit numbers kept to resume from: some minutes of a busy sale. */
const ringUnits = 50_000

/**
 * The map of one sale as its viewers are told it, frame by frame: changes are gathered and told together. Whoever
 * comes is given the map as it was told last, and from then on the same frames as all others of a group.
 */
export class MapView {
  readonly #options: MapViewOptions
  readonly #events = new Subject<{ readonly group: number; readonly event: MapEvent }>()
  readonly #freed = new Subject<readonly number[]>()
  readonly #ring = new DeltaRing(ringUnits)
  readonly #changed = new Set<number>()
  readonly #following: Subscription
  /** For everybody in a group. */
  readonly events$ = this.#events.asObservable()
  /** Units of which places became free where none were, up to a frame before the map says so. */
  readonly freed$: Observable<readonly number[]> = this.#freed.asObservable()
  #told: MapPicture
  #snapshot: MapEvent | undefined
  readonly #groups: CrowdGroups
  readonly #stopped = new AbortController()
  #isReading = false

  /** @param picture the map as it stands, just read */
  constructor(options: MapViewOptions, picture: MapPicture) {
    this.#options = options
    this.#told = copyOf(picture)
    const { clock } = options
    this.#groups = new CrowdGroups({ clock, frameMs, tell: (group) => this.#tell(group) }, picture.seq)
    this.#following = options.map.changes$.subscribe((units) => this.#note(units))
    this.#following.add(options.map.lost$.subscribe(() => void this.#readAgain()))
    // Lost between its reading and now, and nobody was there to be told.
    if (options.map.known === undefined) void this.#readAgain()
    void this.#breakSilence()
  }

  /** The map as it was told last. */
  current(): MapEvent {
    const { epoch, seq, left, states } = this.#told
    this.#snapshot ??= {
      type: 'snapshot',
      id: `${epoch}:${seq}`,
      data: { epoch, seq, ...this.#all(left, states) },
    }
    return this.#snapshot
  }

  /** What brings a viewer from a position to the map as it was told last: one delta, or the whole. */
  since(position: string): MapEvent {
    const [epoch, seq = Number.NaN] = position.split(':').map(Number)
    if (epoch !== this.#told.epoch || !Number.isSafeInteger(seq)) return this.current()
    const units = seq === this.#told.seq ? [] : this.#ring.unitsSince(seq)
    // So many changes would be larger than the map.
    if (units === undefined || units.length > this.#options.units.count / 8 + 16) return this.current()
    return this.#delta(seq, units)
  }

  /** A viewer comes, from a position where it knows one. */
  enter(position?: string): Viewing {
    const event = position === undefined ? this.current() : this.since(position)
    const { group, leave } = this.#groups.enter(this.#told.seq)
    return { event, group: group.number, leave }
  }

  /** Whether a unit has places, as it was told last. */
  isFree(unitNo: number): boolean {
    return (this.#told.left[unitNo] ?? 0) > 0
  }

  stop(): void {
    this.#stopped.abort()
    this.#groups.stop()
    this.#following.unsubscribe()
    this.#events.complete()
    this.#freed.complete()
  }

  #note(units: readonly number[]): void {
    for (const unitNo of units) this.#changed.add(unitNo)
    this.#groups.schedule()
  }

  /** One frame. */
  #tell(one: CrowdGroup): void {
    const now = this.#options.map.known
    // Being read anew: the reading tells the rest. Somebody else's may be there before: what was missed is not in it.
    if (this.#isReading || now === undefined || now.epoch !== this.#told.epoch) return
    this.#take(now)
    if (one.seq === this.#told.seq) return
    const units = this.#ring.unitsSince(one.seq)
    this.#say(one, units === undefined ? this.current() : this.#delta(one.seq, units))
  }

  /** Copies what has changed into what is told. */
  #take(now: MapPicture): void {
    const { epoch, seq: prev, left, states } = this.#told
    if (now.seq === prev && this.#changed.size === 0) return
    const units = [...this.#changed]
    this.#changed.clear()
    const freed = units.filter((unitNo) => left[unitNo] === 0 && (now.left[unitNo] ?? 0) > 0)
    for (const unitNo of units) {
      left[unitNo] = now.left[unitNo] ?? 0
      states[unitNo] = now.states[unitNo] ?? 0
    }
    this.#told = { epoch, seq: now.seq, left, states }
    this.#snapshot = undefined
    this.#ring.push({ prev, seq: now.seq, units })
    if (freed.length > 0) this.#freed.next(freed)
  }

  #say(to: CrowdGroup, event: MapEvent): void {
    this.#groups.told(to, this.#told.seq)
    this.#options.onFrame?.()
    this.#events.next({ group: to.number, event })
  }

  async #breakSilence(): Promise<void> {
    const { signal } = this.#stopped
    for (;;) {
      await this.#options.clock.wait(silentAtMostMs, signal)
      if (signal.aborted) return
      this.#sayPosition()
    }
  }

  #sayPosition(): void {
    // What is being read is told when it is known.
    if (this.#options.map.known === undefined) return
    const nowMs = this.#options.clock.nowMs()
    for (const one of this.#groups.all) {
      const isSilent = nowMs - one.toldAtMs >= silentAtMostMs / 2
      if (isSilent && one.seq === this.#told.seq) this.#say(one, this.#delta(one.seq, []))
    }
  }

  /** The map was read anew: in the same epoch its viewers are told what is different, in another one all of it. */
  async #readAgain(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    await this.#readUntilKnown()
    this.#isReading = false
    const now = this.#options.map.known
    if (now === undefined || this.#stopped.signal.aborted) return
    if (now.epoch === this.#told.epoch && now.seq >= this.#told.seq) {
      const { left, states } = this.#told
      now.left.forEach((places, unitNo) => {
        if (places !== left[unitNo] || now.states[unitNo] !== states[unitNo]) this.#changed.add(unitNo)
      })
      for (const one of this.#groups.all) this.#tell(one)
      // Where the map was in between nobody knows here: another process may have told of it.
      this.#ring.clear()
      return
    }
    this.#told = copyOf(now)
    this.#snapshot = undefined
    this.#changed.clear()
    this.#ring.clear()
    for (const one of this.#groups.all) this.#say(one, this.current())
  }

  /** A state that is being rebuilt, or a store that is away, is asked again. */
  async #readUntilKnown(): Promise<void> {
    const { map, clock } = this.#options
    const { signal } = this.#stopped
    for (let pauseMs = 100; !signal.aborted; pauseMs = Math.min(2 * pauseMs, readAgainMs)) {
      try {
        await map.picture()
        // It may have been lost again while it was on its way.
        if (map.known !== undefined) return
      } catch {
        await clock.wait(pauseMs, signal)
      }
    }
  }

  #delta(prev: number, units: readonly number[]): MapEvent {
    const { epoch, seq, left, states } = this.#told
    const { kind, codes } = this.#options.units
    const changes =
      kind === 'seats' ? units.map((unitNo): [number, number] => [unitNo, states[unitNo] ?? 0]) : []
    const leftOf = (unitNo: number): [string, number] => [codes[unitNo] ?? '', left[unitNo] ?? 0]
    const pools = kind === 'seats' ? {} : Object.fromEntries(units.map(leftOf))
    return { type: 'delta', id: `${epoch}:${seq}`, data: { prev, seq, changes, pools } }
  }

  #all(left: Int32Array, states: Uint8Array): Pick<AvailabilitySnapshot, 'seats' | 'pools'> {
    const { kind, codes } = this.#options.units
    if (kind === 'seats') return { seats: packSeats(states), pools: {} }
    return {
      seats: '',
      pools: Object.fromEntries(codes.map((code, unitNo): [string, number] => [code, left[unitNo] ?? 0])),
    }
  }
}

function frameMs(viewers: number): number {
  return Math.min(frame.mostMs, Math.max(frame.leastMs, viewers * frame.perViewerMs))
}

function copyOf({ epoch, seq, left, states }: MapPicture): MapPicture {
  return { epoch, seq, left: left.slice(), states: states.slice() }
}
