import { Batcher, type Fate } from '../../db/batcher.ts'
import type { Sql } from '../../db/postgres.ts'
import { Problem } from '../../errors.ts'
import { mustNotBeClosed, saleStateErrors } from '../sale-state/sale-failures.ts'
import type { SaleState } from '../sale-state/sale-state.ts'
import type { SaleCatalogue } from '../sales/sale-catalogue.ts'
import type { Sale } from '../sales/sale.ts'
import { placeName, recordLeaves, usedSequences } from './admission-store.ts'
import { takesEntries, type DrawEntering, type Entered } from './draw-entering.ts'
import { queueErrors } from './queue-errors.ts'
import { epochOfSequence, type QueuePlace } from './queue-place.ts'
import type { Joined, QueueStore, Waiter } from './queue-store.ts'
import type { QueueTickets } from './queue-ticket.ts'

export interface QueueJoiningOptions {
  readonly sql: Sql
  readonly state: SaleState
  readonly queue: QueueStore
  readonly tickets: QueueTickets
  readonly catalogue: Pick<SaleCatalogue, 'sale'>
  readonly entering: DrawEntering
  /** Called with each place given, so that this process can put it back after a loss of Redis. */
  readonly remember: (saleId: string, waiter: Waiter) => void
  readonly forget: (saleId: string, accountId: string) => void
}

export interface Joiner {
  readonly accountId: string
  readonly verified: boolean
}

/** Joining a line, coming back to it with a ticket, and leaving it. */
export class QueueJoining {
  readonly #options: QueueJoiningOptions
  readonly #used: Batcher<{ saleId: string; sequence: number }, boolean>
  readonly #leaves: Batcher<Waiter & { saleId: string }, void>

  constructor(options: QueueJoiningOptions) {
    this.#options = options
    this.#used = new Batcher({
      run: async (asked) => {
        const used = await usedSequences(options.sql, asked)
        return asked.map((one) => ({ ok: true, value: used.has(placeName(one.saleId, one.sequence)) }))
      },
      batchMax: 500,
      queueMax: 50_000,
    })
    this.#leaves = new Batcher({
      run: async (leaves) => {
        await recordLeaves(options.sql, leaves)
        return leaves.map((): Fate<void> => ({ ok: true, value: undefined }))
      },
      batchMax: 500,
      queueMax: 50_000,
    })
  }

  /**
   * Gives the account its place, the same one however often it asks. A ticket of an earlier epoch brings back the place it
   * was issued for; of any other ticket nothing is believed, because Redis knows better.
   */
  async join(
    saleId: string,
    joiner: Joiner,
    ticket?: string,
  ): Promise<{ sale: Sale; joined: Joined | Entered }> {
    const { catalogue, queue, entering } = this.#options
    const sale = await catalogue.sale(saleId)
    mustNotBeClosed(sale)
    if (sale.admits === 'verified' && !joiner.verified) throw new Problem(queueErrors.verified_only)
    if (takesEntries(sale)) return { sale, joined: await entering.enter(saleId, joiner.accountId) }
    try {
      const joined =
        ticket === undefined
          ? await queue.join(saleId, joiner.accountId)
          : await this.#comeBack(saleId, joiner.accountId, ticket)
      if (joined.state === 'waiting') {
        this.#options.remember(saleId, { accountId: joiner.accountId, sequence: joined.sequence })
      }
      return { sale, joined }
    } catch (error) {
      throw notWhileDrawn(sale, error)
    }
  }

  /** Where the account stands. Asking is being there: whoever was set aside is first in line again. */
  async standing(sale: Sale, accountId: string): Promise<QueuePlace> {
    const { queue, entering } = this.#options
    await queue.present(sale.id, [accountId])
    const { places, status } = await queue.standing(sale.id, [accountId])
    const place = places[0] ?? { state: 'absent' }
    if (place.state !== 'absent' || sale.queue.mode !== 'lottery' || status !== 'scheduled') return place
    const entryId = (await entering.of(sale.id, [accountId])).get(accountId)
    return entryId === undefined ? place : { state: 'entered', entryId }
  }

  /** Gives up the place or the purchase token. Resolves when no ticket can bring it back. */
  async leave(saleId: string, accountId: string): Promise<void> {
    const { catalogue, queue, forget, entering } = this.#options
    const sale = await catalogue.sale(saleId)
    mustNotBeClosed(sale)
    if (takesEntries(sale)) return await entering.withdraw(saleId, accountId)
    const { from, sequence } = await queue.leave(saleId, accountId)
    forget(saleId, accountId)
    if (from === 'line') await this.#leaves.add({ saleId, accountId, sequence })
  }

  /** Redis may forget between the two steps, or have forgotten unheard of: then the ticket is worth more than it was. */
  async #comeBack(saleId: string, accountId: string, ticket: string): Promise<Joined> {
    const { queue, state } = this.#options
    for (;;) {
      const epoch = await this.#putBack(saleId, accountId, ticket)
      const joined = await queue.join(saleId, accountId)
      if (state.epoch(saleId) === epoch) return joined
    }
  }

  /** Resolves with the epoch that the ticket was held against. */
  async #putBack(saleId: string, accountId: string, text: string): Promise<number> {
    const { tickets, queue } = this.#options
    const ticket = tickets.read(text)
    if (ticket === undefined || ticket.sale !== saleId || ticket.account !== accountId) {
      throw new Problem(queueErrors.queue_ticket_invalid)
    }
    if (epochOfSequence(ticket.sequence) !== ticket.epoch) throw new Problem(queueErrors.queue_ticket_invalid)
    const epoch = await this.#knownEpoch(saleId)
    // Of an entry: there was no place yet.
    const mayBeLost = ticket.sequence !== 0 && ticket.epoch < epoch
    if (mayBeLost && !(await this.#used.add({ saleId, sequence: ticket.sequence })))
      await queue.restore(saleId, [{ accountId, sequence: ticket.sequence }])
    return epoch
  }

  async #knownEpoch(saleId: string): Promise<number> {
    const { state } = this.#options
    if (state.epoch(saleId) === 0) await state.refresh(saleId)
    const epoch = state.epoch(saleId)
    if (epoch === 0) throw new Problem(saleStateErrors.restoring, { retryAfterSeconds: 1 })
    return epoch
  }
}

/** A lottery whose time has come opens its line when all drawn places are in it: whoever comes meanwhile comes again. */
function notWhileDrawn(sale: Sale, error: unknown): unknown {
  const isDrawing = error instanceof Problem && error.code === saleStateErrors.not_open_yet.code
  return isDrawing && sale.status !== 'scheduled'
    ? new Problem(saleStateErrors.restoring, { retryAfterSeconds: 1 })
    : error
}
