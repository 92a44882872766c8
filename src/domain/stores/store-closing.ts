import { appendOutbox } from '../../db/outbox.ts'
import type { TransactionSql } from '../../db/postgres.ts'
import { statesLeadingTo } from '../sales/sale.ts'

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

/** Whoever is in a room hears of it as of everything else there: by an entry. */
async function closeRooms(tx: TransactionSql, storeIds: string[]): Promise<void> {
  await tx`
    with open as (
      select store_id from chat_rooms
      where store_id = any(${storeIds}) and closed_at is null
      order by store_id for no key update),
    closed as (
      update chat_rooms set closed_at = now(), last_seq = last_seq + 1
      from open where chat_rooms.store_id = open.store_id
      returning chat_rooms.store_id, last_seq)
    insert into chat_entries (store_id, seq, id, kind, name)
    select store_id, last_seq, 'closed-' || last_seq, 'closed', '' from closed`
}
