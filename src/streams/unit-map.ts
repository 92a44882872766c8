import { Subject, type Observable, type Subscription } from 'rxjs'
import type { ScriptReply } from '../db/script.ts'
import { headUpdate } from '../domain/queue/queue-messages.ts'
import { saleChannels } from '../domain/sale-state/sale-keys.ts'
import type { SaleState } from '../domain/sale-state/sale-state.ts'
import type { UnitTable } from '../domain/sales/unit-table.ts'
import { unitsDelta, type UnitsDelta } from '../domain/units/unit-messages.ts'
import { unitsSnapshot } from '../domain/units/unit-scripts.ts'
import type { Broker } from './broker.ts'

export interface UnitMapOptions {
  readonly state: SaleState
  readonly broker: Broker
  readonly saleId: string
  readonly units: UnitTable
  /** Told of each reading of the whole, for the metrics. */
  readonly onRead?: () => void
}

/** A map as it stands at a position. */
export interface MapPicture {
  readonly epoch: number
  readonly seq: number
  /** Per unit: free places. */
  readonly left: Int32Array
  /** Per unit: 0 free, 1 held, 2 sold. Means something for seats only. */
  readonly states: Uint8Array
}

/** Deltas kept while the whole is read; more of them mean that it is read once more. */
const earlyMax = 5000

/**
 * What every unit of one sale is, as this process knows it. Deltas follow each other by `prev`; a gap, or another
 * epoch, means that the whole is read again when somebody asks next. The head of the line names the last revision once
 * a second, so a lost delta is noticed even when none comes after it.
 */
export class UnitMap {
  readonly #options: UnitMapOptions
  readonly #messages: Subscription
  readonly #changes = new Subject<readonly number[]>()
  readonly #lost = new Subject<void>()
  /** The units that each applied delta changed. */
  readonly changes$: Observable<readonly number[]> = this.#changes.asObservable()
  /** What was known is not any more: whoever follows the map asks for it anew. */
  readonly lost$: Observable<void> = this.#lost.asObservable()
  #known: { epoch: number; seq: number; left: Int32Array; states: Uint8Array } | undefined
  #early: UnitsDelta[] = []
  #reading: Promise<MapPicture> | undefined
  /** Something was lost while the whole is read, perhaps after Redis had looked. */
  #isReadTooEarly = false
  #suspectSeq = -1

  constructor(options: UnitMapOptions) {
    this.#options = options
    const { broker, saleId } = options
    this.#messages = broker
      .messages(saleChannels.units(saleId), unitsDelta)
      .subscribe((delta) => this.#take(delta))
    this.#messages.add(
      broker
        .messages(saleChannels.line(saleId), headUpdate)
        .subscribe(({ epoch, rev }) => this.#compare(epoch, rev)),
    )
    this.#messages.add(broker.lost$.subscribe(() => this.forget()))
  }

  /** The map as it is known; read, once for all who ask meanwhile, when it is not. */
  async picture(): Promise<MapPicture> {
    return this.#known ?? (await (this.#reading ??= this.#read()))
  }

  /** The map as it is known now; undefined when it has to be read. */
  get known(): MapPicture | undefined {
    return this.#known
  }

  forget(): void {
    this.#early = []
    this.#isReadTooEarly = this.#reading !== undefined
    if (this.#known === undefined) return
    this.#known = undefined
    this.#lost.next()
  }

  stop(): void {
    this.#messages.unsubscribe()
    this.#changes.complete()
    this.#lost.complete()
  }

  #take(delta: UnitsDelta): void {
    if (this.#known === undefined) {
      // Nobody reads: what comes now is in the next reading.
      if (this.#reading !== undefined && this.#early.length <= earlyMax) this.#early.push(delta)
    } else if (delta.epoch > this.#known.epoch) {
      this.forget()
    } else if (delta.epoch === this.#known.epoch && delta.seq > this.#known.seq) {
      if (delta.prev === this.#known.seq) this.#apply(delta)
      else this.forget()
    }
  }

  #apply({ seq, changes }: UnitsDelta): void {
    const known = this.#known
    if (known === undefined) return
    known.seq = seq
    for (const [unitNo, left, state] of changes) {
      known.left[unitNo] = left
      known.states[unitNo] = state
    }
    this.#changes.next(changes.map(([unitNo]) => unitNo))
  }

  /** A delta may still be on its way when the head names its revision; when the next head comes it is lost. No delta brings an epoch. */
  #compare(epoch: number, rev: number): void {
    const known = this.#known
    if (known === undefined) return
    const isBehind = epoch === known.epoch && rev > known.seq
    if (epoch > known.epoch || (isBehind && this.#suspectSeq === known.seq)) this.forget()
    this.#suspectSeq = isBehind ? known.seq : -1
  }

  async #read(): Promise<MapPicture> {
    try {
      let picture = await this.#readOnce()
      while (this.#isReadTooEarly) picture = await this.#readOnce()
      const early = this.#early
      this.#early = []
      this.#known = picture
      this.#suspectSeq = -1
      for (const delta of early.length > earlyMax ? [] : early) this.#take(delta)
      return picture
    } finally {
      this.#reading = undefined
    }
  }

  async #readOnce(): Promise<MapPicture> {
    const { state, saleId, units, onRead } = this.#options
    this.#isReadTooEarly = false
    const reply = await state.run(unitsSnapshot, saleId, { kind: units.kind })
    onRead?.()
    // The epoch that answered: by now another may have begun.
    const [epoch, seq, flat] = reply as [number, number, ScriptReply[]]
    return { epoch, seq, ...(units.kind === 'seats' ? seatsOf : poolsOf)(flat, units) }
  }
}

function poolsOf(flat: readonly ScriptReply[], units: UnitTable): Pick<MapPicture, 'left' | 'states'> {
  const left = new Int32Array(units.count)
  for (let at = 0; at < flat.length; at += 2) left[Number(flat[at])] = Number(flat[at + 1])
  return { left, states: new Uint8Array(units.count) }
}

function seatsOf(flat: readonly ScriptReply[], units: UnitTable): Pick<MapPicture, 'left' | 'states'> {
  const left = new Int32Array(units.count).fill(1)
  const states = new Uint8Array(units.count)
  for (let at = 0; at < flat.length; at += 2) {
    const unitNo = Number.parseInt(String(flat[at]), 10)
    left[unitNo] = 0
    states[unitNo] = String(flat[at + 1]).startsWith('s:') ? 2 : 1
  }
  return { left, states }
}
