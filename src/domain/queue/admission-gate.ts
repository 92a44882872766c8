import type { OutboxPosition } from '../../db/outbox.ts'
import type { Sql } from '../../db/postgres.ts'
import { Problem } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { knownProcesses, type KnownProcess } from '../processes/process-store.ts'
import { saleStateErrors } from '../sale-state/sale-failures.ts'
import { catchUp, rebuildSale } from '../sale-state/sale-rebuilding.ts'
import { stateClose, stateConfigure } from '../sale-state/sale-state-scripts.ts'
import type { SaleState } from '../sale-state/sale-state.ts'
import type { Writership } from '../sale-state/sale-writer.ts'
import type { SaleCatalogue } from '../sales/sale-catalogue.ts'
import { setSoldOut } from '../sales/sale-scheduling.ts'
import type { Sale } from '../sales/sale.ts'
import { closeAllAdmissions, recordAdmissions } from './admission-store.ts'
import { placeDrawn } from './draw-placing.ts'
import { AdmissionTicks, type TickReport } from './admission-ticks.ts'

export interface AdmissionGateOptions {
  readonly sql: Sql
  readonly state: SaleState
  readonly catalogue: Pick<SaleCatalogue, 'sale' | 'forget'>
  readonly writership: Writership
  readonly replay: (saleId: string, after: OutboxPosition) => Promise<unknown>
  /** How long nobody is admitted after a loss when no edge that knew the line has survived. */
  readonly restoreMs: number
  /** Tells every edge of a new epoch, so that it puts its waiters back. */
  readonly announceEpoch: (saleId: string, epoch: number) => void
  readonly log: Log
}

/** What one tick did and saw. */
export interface GateReport extends TickReport {
  readonly told: number
  /** The sale is over and its line is gone: nothing is left to do for its writer. */
  readonly over: boolean
}

/**
 * The gate of one sale, in the hands of the one process whose fence is the newest. Lets people in, in three steps: Redis takes
 * them from the line, PostgreSQL makes the admission durable, only then is it told. Everything it does may be cut off
 * anywhere; the next tick, or the next writer, finds what was begun and finishes it.
 */
export class AdmissionGate {
  readonly #options: AdmissionGateOptions
  readonly #ticks: AdmissionTicks
  /** Of the sale whose settings Redis was given last. */
  #configuredVersion = 0

  constructor(options: AdmissionGateOptions) {
    this.#options = options
    this.#ticks = new AdmissionTicks({ state: options.state, writership: options.writership })
  }

  /** Takes the gate over: from a state that is whole, or by building one. Throws FencedError. */
  async begin(): Promise<void> {
    const { state, writership } = this.#options
    state.setEpoch(writership.saleId, writership.epoch)
    // Whoever wrote before may have gone by a younger version than the one remembered here.
    this.#options.catalogue.forget(writership.saleId)
    const sale = await this.#sale()
    if (writership.storeRunId !== state.serverOf(sale.id).runId) return await this.#rebuild(sale)
    try {
      await this.#configure(sale)
    } catch (error) {
      if (!isForgotten(error)) throw error
      await this.#rebuild(sale)
    }
  }

  /** One tick. Rebuilds the state when Redis has forgotten it. Throws FencedError. */
  async tick(): Promise<GateReport | undefined> {
    try {
      return await this.#tick(await this.#sale())
    } catch (error) {
      if (!isForgotten(error)) throw error
      await this.#rebuild(await this.#sale())
      return undefined
    }
  }

  async #tick(sale: Sale): Promise<GateReport> {
    // Nobody is let in by settings that are known to be old.
    if (sale.version !== this.#configuredVersion) await this.#configure(sale)
    const report = await this.#ticks.admit()
    if (report.version !== sale.version) await this.#configure(sale)
    if (isOfDraw(sale) && !report.isDrawn) await this.#draw()
    const told = await this.#makeDurable(report)
    // A rebuild that was cut off, by whichever process, is finished before its line is taken for whole.
    if (report.replayAfter !== undefined) await this.#catchUp(report.replayAfter)
    if (report.restoreUntilMs > report.nowMs) await this.#openWhenRestored(report)
    await this.#followStock(sale, report)
    const over = sale.status === 'closed' && (await this.#close())
    return { ...report, told, over }
  }

  /** Nobody is let in, and nobody joins, before all drawn places are in the line. */
  async #draw(): Promise<void> {
    const { saleId } = this.#options.writership
    const placed = await placeDrawn(this.#options, this.#options.writership)
    this.#options.log.info({ saleId, placed }, 'the drawn places are in the line')
  }

  async #makeDurable(report: TickReport): Promise<number> {
    const { sql, writership } = this.#options
    const { grants, closings } = report
    if (grants.length === 0 && closings.length === 0) return 0
    const { saleId, fence } = writership
    const standing = await recordAdmissions(sql, { saleId, fence, grants, closings })
    const granted = grants.filter((grant) => standing.has(grant.accountId)).map((grant) => grant.accountId)
    const refused = grants.filter((grant) => !standing.has(grant.accountId)).map((grant) => grant.accountId)
    const gone = new Set(closings.map(({ accountId }) => accountId))
    const odd = refused.filter((accountId) => !gone.has(accountId))
    if (odd.length > 0) this.#options.log.error({ saleId, refused: odd }, 'admissions refused by PostgreSQL')
    return await this.#ticks.confirm({
      granted,
      refused,
      closed: closings.map((closing) => closing.sequence),
    })
  }

  async #followStock(sale: Sale, report: TickReport): Promise<void> {
    const full = report.sold === report.total
    if (sale.status !== (full ? 'open' : 'soldout')) return
    const moved = await setSoldOut(this.#options.sql, sale.id, full)
    if (moved) this.#options.catalogue.forget(sale.id)
  }

  async #close(): Promise<boolean> {
    const { sql, state, writership } = this.#options
    await closeAllAdmissions(sql, writership.saleId)
    await state.run(stateClose, writership.saleId, { fence: writership.fence })
    return true
  }

  async #openWhenRestored(report: TickReport): Promise<void> {
    const { saleId } = this.#options.writership
    this.#options.announceEpoch(saleId, this.#options.state.epoch(saleId))
    const processes = await knownProcesses(this.#options.sql)
    if (!everyEdgeIsBack(processes, report.restored, report.knewLineBeforeMs)) return
    await this.#configure(await this.#sale(), { restored: true })
  }

  async #configure(sale: Sale, options: { restored: boolean } = { restored: false }): Promise<void> {
    const { state, writership } = this.#options
    await state.run(stateConfigure, sale.id, {
      fence: writership.fence,
      fields: JSON.stringify(Object.entries(settingsOf(sale)).flat()),
      restored: options.restored ? 1 : 0,
    })
    this.#configuredVersion = sale.version
  }

  async #catchUp(after: OutboxPosition): Promise<void> {
    const { state, writership, replay } = this.#options
    await catchUp({ state, replay, ...writership }, after)
  }

  async #rebuild(sale: Sale): Promise<void> {
    const { sql, state, writership, replay, log } = this.#options
    const first = writership.epoch === 0 && state.epoch(sale.id) === 0
    const { fence, saleId } = writership
    const restoreMs = first ? 0 : this.#options.restoreMs
    const settings = settingsOf(sale)
    const epoch = await rebuildSale({ sql, state, saleId, fence, settings, restoreMs, replay })
    this.#configuredVersion = sale.version
    if (!first)
      log.warn({ saleId, epoch }, 'Redis had forgotten the sale: rebuilt, edges put their waiters back')
    this.#options.announceEpoch(saleId, epoch)
  }

  #sale(): Promise<Sale> {
    return this.#options.catalogue.sale(this.#options.writership.saleId)
  }
}

/**
 * Whether every edge that knew the line before the epoch has put its waiters back. One that went without a goodbye
 * took its waiters' places with it: their tickets need the full time.
 */
export function everyEdgeIsBack(
  processes: readonly KnownProcess[],
  restored: readonly string[],
  knewLineBeforeMs: number,
): boolean {
  const edges = processes.filter((process) => process.roles.includes('edge'))
  const survivors = edges.filter((edge) => edge.alive && edge.startedAtMs < knewLineBeforeMs)
  return (
    survivors.length > 0 &&
    edges.every((edge) => edge.alive) &&
    survivors.every((edge) => restored.includes(edge.id))
  )
}

/** A lottery whose time has come: its line is what is drawn. */
function isOfDraw(sale: Sale): boolean {
  return sale.queue.mode === 'lottery' && !['draft', 'scheduled', 'closed'].includes(sale.status)
}

/**
 * The settings of a sale as fields of its state hash. A lottery is open to nobody before its places are drawn; then its
 * status is `drawn_status`.
 */
export function settingsOf(sale: Sale): Record<string, string | number> {
  return {
    version: sale.version,
    status: isOfDraw(sale) ? 'scheduled' : sale.status,
    drawn_status: sale.status,
    rate: sale.queue.ratePerMinute,
    max_active: sale.queue.maxActive,
    token_ttl_ms: sale.queue.tokenTtlSeconds * 1000,
    hold_ttl_ms: sale.queue.holdTtlSeconds * 1000,
    max_per_account: sale.queue.maxPerAccount,
    grace_ms: sale.queue.graceSeconds * 1000,
  }
}

function isForgotten(error: unknown): boolean {
  return error instanceof Problem && error.code === saleStateErrors.restoring.code
}
