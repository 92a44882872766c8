import { appendOutbox } from '../../db/outbox.ts'
import type { Sql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { moveSale, saleAt, type Sale } from './sale.ts'
import { saleErrors } from './sale-errors.ts'
import type { SaleChanges } from './sale-messages.ts'
import { countBookedPlaces, lockSale, updateSale } from './sale-store.ts'

export interface SaleChanging {
  readonly sql: Sql
  /** Tells the other processes sooner than the outbox does; must not throw. */
  readonly announce: (saleId: string) => void
}

/**
 * Changes a sale for its organiser. Resuming a sale whose places are all booked makes it sold out. A change that changes
 * nothing leaves the version as it is. Throws `no_such_sale`, `forbidden` (another's sale: it is public, so there is
 * nothing to hide), `sale_change_not_allowed`, `invalid_request`.
 */
export async function changeSale(
  { sql, announce }: SaleChanging,
  options: { saleId: string; organiserId: string; changes: SaleChanges },
): Promise<Sale> {
  const { saleId, organiserId, changes } = options
  const { before, after } = await transaction(sql, async (tx) => {
    const locked = await lockSale(tx, saleId)
    if (locked === undefined) throw new Problem(saleErrors.no_such_sale)
    const { sale: written, nowMs } = locked
    if (written.organiserId !== organiserId) throw new Problem(generalErrors.forbidden)
    // Its time may have come since somebody last looked.
    let sale = saleAt(changedSale(saleAt(written, nowMs), changes, nowMs), nowMs)
    if (written.status === 'paused' && sale.status === 'open') {
      const full = (await countBookedPlaces(tx, saleId)) === sale.placeCount
      if (full) sale = moveSale(sale, 'soldout', 'stock')
    }
    if (sameSale(written, sale)) return { before: written, after: written }
    sale = { ...sale, version: sale.version + 1 }
    await updateSale(tx, sale)
    await appendOutbox(tx, [{ saleId, topic: 'sale', body: { version: sale.version } }])
    return { before: written, after: sale }
  })
  if (after.version !== before.version) announce(saleId)
  return after
}

function changedSale(sale: Sale, changes: SaleChanges, nowMs: number): Sale {
  if (sale.status === 'closed') {
    // Closing it once more asks for nothing new.
    if (changes.status === 'closed' && Object.keys(changes).length === 1) return sale
    throw refused(sale, 'A closed sale stays as it is.')
  }
  const opensAtMs = changes.opensAt === undefined ? sale.opensAtMs : Date.parse(changes.opensAt)
  const closesAtMs = changes.closesAt === undefined ? sale.closesAtMs : Date.parse(changes.closesAt)
  const retimed = opensAtMs !== sale.opensAtMs || closesAtMs !== sale.closesAtMs
  if (retimed && sale.status !== 'scheduled')
    throw refused(sale, 'Times can be changed only before the opening.')
  if (opensAtMs >= closesAtMs) {
    throw new Problem(generalErrors.invalid_request, {
      errors: [{ field: 'closesAt', message: 'must be later than opensAt' }],
    })
  }
  const { ratePerMinute = sale.queue.ratePerMinute, maxActive = sale.queue.maxActive } = changes.queue ?? {}
  return {
    ...(changes.status === undefined ? sale : moveSale(sale, resumed(sale, changes.status), 'organiser')),
    title: changes.title ?? sale.title,
    opensAtMs,
    closesAtMs,
    queue: { ...sale.queue, ratePerMinute, maxActive },
    notice: changedNotice(sale.notice, changes.notice, nowMs),
  }
}

/** The same text again is no news. */
function changedNotice(before: Sale['notice'], text: string | undefined, nowMs: number): Sale['notice'] {
  if (text === undefined || text === before?.text) return before
  return text === '' ? null : { text, atMs: nowMs }
}

/** Whoever opens a sale that is sold out wants it not paused, and that it is. */
function resumed(sale: Sale, wanted: 'open' | 'paused' | 'closed') {
  return wanted === 'open' && sale.status === 'soldout' ? 'soldout' : wanted
}

function refused(sale: Sale, detail: string): Problem {
  return new Problem(saleErrors.sale_change_not_allowed, { detail, extra: { saleStatus: sale.status } })
}

function sameSale(one: Sale, other: Sale): boolean {
  return (
    one.title === other.title &&
    one.status === other.status &&
    one.opensAtMs === other.opensAtMs &&
    one.closesAtMs === other.closesAtMs &&
    one.notice === other.notice &&
    one.queue.ratePerMinute === other.queue.ratePerMinute &&
    one.queue.maxActive === other.queue.maxActive
  )
}
