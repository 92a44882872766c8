import { appendOutbox } from '../../db/outbox.ts'
import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { moveSale, statesLeadingTo } from './sale.ts'
import { countBookedPlaces, lockSale, updateSale } from './sale-store.ts'

interface Moved {
  readonly id: string
  readonly version: number
}

/**
 * Opens and closes the sales whose time has come by PostgreSQL's clock, and returns their ids. Any number of processes may
 * call it at the same time: each sale is moved by one of them.
 */
export async function moveDueSales(sql: Sql): Promise<string[]> {
  const moved = await transaction(sql, async (tx) => {
    const rows = [...(await closeDueSales(tx)), ...(await openDueSales(tx))]
    await appendOutbox(
      tx,
      rows.map(({ id, version }) => ({ saleId: id, topic: 'sale', body: { version } })),
    )
    return rows
  })
  return moved.map(({ id }) => id)
}

// Rows are locked in the order of their ids, so that two processes doing the same cannot wait for each other.
async function closeDueSales(tx: TransactionSql): Promise<Moved[]> {
  return await tx<Moved[]>`
    with due as (
      select id from sales
      where status in ${tx(statesLeadingTo('closed', 'time'))} and closes_at <= now()
      order by id for no key update)
    update sales set status = 'closed', version = version + 1
    from due where sales.id = due.id
    returning sales.id, sales.version`
}

async function openDueSales(tx: TransactionSql): Promise<Moved[]> {
  return await tx<Moved[]>`
    with due as (
      select id from sales
      where status in ${tx(statesLeadingTo('open', 'time'))} and opens_at <= now() and closes_at > now()
      order by id for no key update)
    update sales set status = 'open', version = version + 1
    from due where sales.id = due.id
    returning sales.id, sales.version`
}

/**
 * Marks an open sale as sold out if every place is booked now, or a sold-out one as open if one is not. Returns whether it
 * moved. Call it after each booking and each cancellation: the count is taken under the lock of the sale, so of two calls
 * the later one sees what the earlier saw and more.
 */
export async function setSoldOut(sql: Sql, saleId: string, soldOut: boolean): Promise<boolean> {
  return await transaction(sql, async (tx) => {
    const sale = (await lockSale(tx, saleId))?.sale
    if (sale?.status !== (soldOut ? 'open' : 'soldout')) return false
    const full = (await countBookedPlaces(tx, saleId)) === sale.placeCount
    if (full !== soldOut) return false
    const version = sale.version + 1
    await updateSale(tx, { ...moveSale(sale, soldOut ? 'soldout' : 'open', 'stock'), version })
    await appendOutbox(tx, [{ saleId, topic: 'sale', body: { version } }])
    return true
  })
}
