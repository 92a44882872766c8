import { appendOutbox } from '../../db/outbox.ts'
import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { statesLeadingTo } from '../sales/sale.ts'

/**
 * Closes the stores whose time has come by PostgreSQL's clock, a bounded number at a time, and answers the ids of the
 * sales that were closed with them. Any number of processes may call it: each store is closed by one of them.
 */
export async function closeDueStores(sql: Sql, limit = 100): Promise<string[]> {
  return await transaction(sql, async (tx) => {
    // What somebody else has locked is closed by them, or at the next turn.
    const due = await tx<{ id: string }[]>`
      select id from stores where status = 'open' and closes_at <= now()
      order by closes_at limit ${limit} for no key update skip locked`
    if (due.length === 0) return []
    return await closeStores(
      tx,
      due.map(({ id }) => id),
    )
  })
}

/**
 * Closes stores, all of their sales and their rooms, and answers the ids of the sales. The caller holds the locks of the
 * stores, so that no sale is begun in them meanwhile; sales and rooms are locked in the order of their ids.
 */
export async function closeStores(tx: TransactionSql, storeIds: readonly string[]): Promise<string[]> {
  const ids = [...storeIds]
  await tx`update stores set status = 'closed', updated_at = now() where id = any(${ids})`
  const sales = await tx<{ id: string; version: number }[]>`
    with live as (
      select id from sales
      where store_id = any(${ids}) and status in ${tx(statesLeadingTo('closed', 'organiser'))}
      order by id for no key update)
    update sales set status = 'closed', version = version + 1
    from live where sales.id = live.id
    returning sales.id, sales.version`
  await appendOutbox(
    tx,
    sales.map(({ id, version }) => ({ saleId: id, topic: 'sale', body: { version } })),
  )
  await closeRooms(tx, ids)
  return sales.map(({ id }) => id)
}

/** Whoever is in a room hears of it as of everything else there: by an entry, whose id nobody can have taken before. */
async function closeRooms(tx: TransactionSql, storeIds: string[]): Promise<void> {
  await tx`
    with open as (
      select store_id from chat_rooms
      where store_id = any(${storeIds}) and closed_at is null
      order by store_id for no key update),
    closed as (
      update chat_rooms set closed_at = clock_timestamp(), last_seq = last_seq + 1
      from open where chat_rooms.store_id = open.store_id
      returning chat_rooms.store_id, last_seq, closed_at)
    insert into chat_entries (store_id, seq, id, kind, name, at)
    select store_id, last_seq, 'closed-' || gen_random_uuid(), 'closed', '', closed_at from closed`
}
