import type { OutboxPosition } from '../../db/outbox.ts'
import type { ScriptReply } from '../../db/script.ts'
import type { SaleState } from '../sale-state/sale-state.ts'
import type { Writership } from '../sale-state/sale-writer.ts'
import type { Closing, Ending, Grant } from './admission-store.ts'
import { parseAdmission } from './queue-place.ts'
import { admissionAdmit, admissionConfirm } from './queue-scripts.ts'

/** People one tick takes, and endings it notes, at the most; a fuller line goes on with the next, at once. */
const batchMax = 1000

/** People let in for each place that is free and not yet being chosen: some leave without buying. */
const admissionFactor = 1.5

/** What Redis said in one tick. */
export interface TickReport {
  readonly nowMs: number
  /** Taken from the line, not yet durable, not yet told. */
  readonly grants: readonly Grant[]
  /** Over in Redis, not yet so in PostgreSQL. */
  readonly closings: readonly Closing[]
  readonly waiting: number
  readonly active: number
  readonly free: number
  readonly sold: number
  readonly total: number
  readonly status: string
  /** The version of the sale whose settings Redis goes by. */
  readonly version: number
  readonly restoreUntilMs: number
  /** Edges that have put their waiters back. */
  readonly restored: readonly string[]
  /** How many were away at their turn. */
  readonly setAside: number
  /** The drawn places of a lottery are in the line. */
  readonly isDrawn: boolean
  /** What was committed after this is still to be applied to a state that was rebuilt. */
  readonly replayAfter: OutboxPosition | undefined
  /** An edge that began later did not know the line that was lost. */
  readonly knewLineBeforeMs: number
  /** It did as much as one tick may: there may be more to do. */
  readonly isFull: boolean
}

/** The two script calls of a tick. */
export class AdmissionTicks {
  readonly #state: SaleState
  readonly #writership: Writership

  constructor(options: { state: SaleState; writership: Writership }) {
    this.#state = options.state
    this.#writership = options.writership
  }

  async admit(): Promise<TickReport> {
    const { saleId, fence } = this.#writership
    const args = { fence, batch: batchMax, factor: admissionFactor }
    const reply = await this.#state.run(admissionAdmit, saleId, args)
    return reportFrom(reply as AdmitReply)
  }

  /** Resolves to how many may be told. */
  async confirm(done: {
    granted: readonly string[]
    refused: readonly string[]
    closed: readonly number[]
  }): Promise<number> {
    const reply = await this.#state.run(admissionConfirm, this.#writership.saleId, {
      fence: this.#writership.fence,
      granted: JSON.stringify(done.granted),
      refused: JSON.stringify(done.refused),
      closed: JSON.stringify(done.closed.map(String)),
    })
    return Number(reply)
  }
}

type AdmitReply = [
  string,
  string[],
  string[],
  number,
  number,
  number,
  number,
  number,
  string,
  number,
  string,
  string[],
  number,
  number,
  string,
  string,
]

function reportFrom(reply: AdmitReply): TickReport {
  const [
    now,
    closing,
    granting,
    waiting,
    active,
    free,
    sold,
    total,
    status,
    version,
    restoreUntil,
    restored,
    setAside,
    drawn,
    replayAfter,
    knewLineBefore,
  ] = reply
  const closings = pairs(closing).map(([sequence, text]) => closingFrom(sequence, text))
  const grants = pairs(granting).map(([accountId, record]) => ({ accountId, ...parseAdmission(record) }))
  return {
    nowMs: Number(now),
    closings,
    grants,
    waiting,
    active,
    free,
    sold,
    total,
    status,
    version,
    restoreUntilMs: Number(restoreUntil),
    restored,
    setAside,
    isDrawn: drawn === 1,
    replayAfter: positionFrom(replayAfter),
    knewLineBeforeMs: Number(knewLineBefore),
    isFull: grants.length + setAside >= batchMax || closings.length >= batchMax,
  }
}

function positionFrom(text: string): OutboxPosition | undefined {
  const [xid = '', id] = text.split(':')
  return id === undefined ? undefined : { xid, id: Number(id) }
}

function closingFrom(sequence: string, text: string): Closing {
  const [reason = 'ended', at = '0', accountId = ''] = text.split(':')
  return { sequence: Number(sequence), accountId, reason: reason as Ending, atMs: Number(at) }
}

function pairs(flat: readonly ScriptReply[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [
    String(flat[2 * index]),
    String(flat[2 * index + 1]),
  ])
}
