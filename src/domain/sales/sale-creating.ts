import { appendOutbox } from '../../db/outbox.ts'
import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { randomSeed } from '../queue/draw.ts'
import { insertDraw } from '../queue/draw-store.ts'
import { buildHall } from './hall.ts'
import { saleAt, type Sale } from './sale.ts'
import type { NewSale } from './sale-messages.ts'
import { findSale, insertSale, readTime } from './sale-store.ts'
import { buildSlots } from './slots.ts'

export interface SaleCreating {
  readonly sql: Sql
  /** Used where the organiser names no time of their own. */
  readonly payBySecondsDefault: number
  /** Tells the other processes sooner than the outbox does; must not throw. */
  readonly announce: (saleId: string) => void
  /** The secret of a draw: 32 bytes in hex. */
  readonly newSeed?: () => string
}

/**
 * Writes a sale with all its units in one transaction; it is open at once when its time has come. The same id again gives
 * the sale that stands, so a repeated request makes nothing new. Throws `invalid_request`.
 */
export async function createSale(
  { sql, payBySecondsDefault, announce, newSeed = randomSeed }: SaleCreating,
  options: { saleId: string; organiserId: string; description: NewSale },
): Promise<Sale> {
  const { saleId, organiserId, description } = options
  const contents = description.kind === 'seats' ? buildHall(description.hall) : buildSlots(description.slots)
  const sale = await transaction(sql, async (tx) => {
    const nowMs = await readTime(tx)
    const wanted: Sale = {
      id: saleId,
      organiserId,
      storeId: description.store ?? null,
      kind: description.kind,
      title: description.title,
      status: 'scheduled',
      admits: description.admits,
      opensAtMs: Date.parse(description.opensAt),
      closesAtMs: Date.parse(description.closesAt),
      queue: description.queue,
      singleSeats: description.kind === 'seats' ? description.singleSeats : 'allowed',
      onePerUnit: isOnePerUnit(description),
      notice: null,
      payBySeconds: description.payBySeconds ?? payBySecondsDefault,
      currency: description.currency,
      unitCount: contents.units.length,
      placeCount: contents.units.reduce((sum, unit) => sum + unit.capacity, 0),
      version: 1,
      createdAtMs: nowMs,
    }
    const made = saleAt(wanted, nowMs)
    if (made.status === 'closed') throw unfit('closesAt', 'must lie in the future')
    if (made.storeId !== null) await keepStoreOpen(tx, organiserId, made.storeId)
    const isNew = await insertSale(tx, made, contents)
    if (isNew && made.queue.mode === 'lottery') await insertDraw(tx, made.id, newSeed())
    if (!isNew) return mustBeOf(organiserId, await findSale(tx, saleId))
    await appendOutbox(tx, [{ saleId, topic: 'sale', body: { version: made.version } }])
    return made
  })
  announce(saleId)
  return sale
}

/** In a store, nobody books a slot twice unless the organiser says so. */
function isOnePerUnit(description: NewSale): boolean {
  return description.kind === 'slots' && (description.onePerUnit ?? description.store !== undefined)
}

/** Until the transaction ends the store does not close, so that its closing finds the sale. */
async function keepStoreOpen(tx: TransactionSql, organiserId: string, storeId: string): Promise<void> {
  const [store] = await tx<{ status: string }[]>`
    select status from stores where id = ${storeId} and organiser_id = ${organiserId} for share`
  if (store === undefined) throw unfit('store', 'is not one of your stores')
  if (store.status !== 'open') throw unfit('store', 'has closed')
}

function unfit(field: string, message: string): Problem {
  return new Problem(generalErrors.invalid_request, { errors: [{ field, message }] })
}

function mustBeOf(organiserId: string, sale: Sale | undefined): Sale {
  if (sale?.organiserId !== organiserId) throw new Problem(generalErrors.forbidden)
  return sale
}
