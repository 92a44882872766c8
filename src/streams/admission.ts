import { interval, merge, Subject, type Subscription } from 'rxjs'
import type { Clock } from '../clock.ts'
import { levelOfFailure } from '../db/store-away.ts'
import { AdmissionGate, type AdmissionGateOptions, type GateReport } from '../domain/queue/admission-gate.ts'
import { saleChannels } from '../domain/sale-state/sale-keys.ts'
import { FencedError } from '../domain/sale-state/sale-failures.ts'
import type { Writership } from '../domain/sale-state/sale-writer.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import type { Broker } from './broker.ts'
import { Leases } from './lease.ts'
import { runLatest } from './run-latest.ts'

export interface AdmissionOptions extends Omit<AdmissionGateOptions, 'writership'> {
  readonly processId: string
  readonly broker: Broker
  readonly clock: Clock
  /** Rejects where nothing could be written to Redis. */
  readonly mustReachRedis: () => Promise<void>
  /** Milliseconds between two ticks of a gate when nothing wakes it. */
  readonly tickMs: number
  /** Ends holds whose time is over and settles forsaken ones; runs with each tick. */
  readonly sweep: (writership: Writership) => Promise<void>
  /** Told of each tick, for the metrics. */
  readonly onReport?: (saleId: string, report: GateReport) => void
  /** A sale came from a writer that had fallen silent. */
  readonly onTookOver?: (saleId: string) => void
  /** A sale went to another writer, because this process had fallen silent. */
  readonly onFellSilent?: (saleId: string) => void
}

/**
 * The single writer of each sale this process holds the lease of: opens the gate at every tick, whenever a place became
 * free, and again at once while one tick cannot do all there is.
 */
export class Admission implements Service {
  readonly name = 'admission'
  readonly #options: AdmissionOptions
  readonly #log: Log
  readonly #leases: Leases
  readonly #gates = new Map<string, OpenGate>()
  /** Ticks under way, also of gates that were shut meanwhile. */
  readonly #ticks = new Set<Promise<void>>()
  #changes: Subscription | undefined

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#log = options.log
    this.#leases = new Leases(options)
  }

  async run(): Promise<void> {
    this.#changes = this.#leases.changes$.subscribe((change) => {
      if (change.kind === 'gained') this.#open(change.writership)
      else this.#shut(change.writership.saleId)
    })
    this.#leases.run()
  }

  /** A sale was created or opened: somebody should become its writer at once. */
  look(): void {
    this.#leases.look()
  }

  async stop(): Promise<void> {
    for (const saleId of this.#gates.keys()) this.#shut(saleId)
    await Promise.all(this.#ticks)
    await this.#leases.stop()
    this.#changes?.unsubscribe()
  }

  #open(writership: Writership): void {
    const { broker, tickMs } = this.#options
    const gate: OpenGate = {
      writership,
      gate: new AdmissionGate({ ...this.#options, writership }),
      begun: false,
      failing: false,
      again$: new Subject(),
      ticks: undefined,
    }
    this.#gates.set(writership.saleId, gate)
    const wake$ = broker.channel(saleChannels.wake(writership.saleId))
    gate.ticks = merge(interval(tickMs), wake$, gate.again$)
      .pipe(runLatest(() => this.#countedTick(gate)))
      .subscribe()
    this.#log.info({ saleId: writership.saleId, fence: writership.fence }, 'writes to the sale')
  }

  #shut(saleId: string): void {
    this.#gates.get(saleId)?.ticks?.unsubscribe()
    this.#gates.delete(saleId)
  }

  async #countedTick(open: OpenGate): Promise<void> {
    const tick = this.#tick(open)
    this.#ticks.add(tick)
    await tick
    this.#ticks.delete(tick)
  }

  /** Never rejects. */
  async #tick(open: OpenGate): Promise<void> {
    try {
      if (!open.begun) await open.gate.begin()
      open.begun = true
      const report = await open.gate.tick()
      open.failing = false
      if (report === undefined) return
      await this.#options.sweep(open.writership)
      this.#options.onReport?.(open.writership.saleId, report)
      if (report.over) await this.#leases.giveUp(open.writership.saleId, true)
      else if (report.isFull) open.again$.next()
    } catch (error) {
      await this.#failed(open, error)
    }
  }

  /** A store that is away is asked again with the next tick; a lost fence is the end of this writership. */
  async #failed(open: OpenGate, error: unknown): Promise<void> {
    const { saleId, fence } = open.writership
    if (error instanceof FencedError) {
      this.#log.debug({ saleId, fence }, 'another process writes to the sale now')
      await this.#leases.letGo(open.writership).catch(() => {
        // The lease ends by itself.
      })
      return
    }
    const level = levelOfFailure(error)
    if (!open.failing)
      this.#log[level]({ err: error, saleId }, 'the gate stands still until its stores answer')
    open.failing = true
  }
}

/** A gate this process works, from the moment it gained the lease. */
interface OpenGate {
  readonly writership: Writership
  readonly gate: AdmissionGate
  begun: boolean
  /** The last tick failed; said once, not ten times a second. */
  failing: boolean
  readonly again$: Subject<void>
  ticks: Subscription | undefined
}
