import type { TransactionSql } from '../../db/postgres.ts'
import { Problem } from '../../errors.ts'
import type { Fate } from '../../db/batcher.ts'
import type { ChatRow } from './chat-entry.ts'
import { ChatLedger, type ChatDraft, type LockedRoom } from './chat-ledger.ts'
import { memberKey, membersOf } from './chat-members.ts'
import { chatRows } from './chat-store.ts'
import { storeErrors } from '../stores/store-errors.ts'

/** What became of a group of drafts: a fate each, and what the rooms have to be told. */
export interface ChatCommit {
  readonly fates: readonly Fate<ChatRow | undefined>[]
  readonly told: readonly RoomNews[]
}

/** New entries of one room, which follow on `prev`. */
export interface RoomNews {
  readonly storeId: string
  readonly epoch: number
  readonly prev: number
  readonly rows: readonly ChatRow[]
}

/**
 * Writes drafts of many rooms, each with its own fate. The rooms' rows are locked first, in one order for everybody: so
 * the numbers of a room are given in the order of its commits, and whoever reads it sees no number before a lower one.
 *
 * Rows are looked up one by one (`lateral`, `limit 1`), each by its index: a join of so many would be planned once, when
 * there are few, and then read the whole table for each group (measured: half the
 * pace at 90,000 entries, and ever slower).
 */
export async function commitDrafts(tx: TransactionSql, drafts: readonly ChatDraft[]): Promise<ChatCommit> {
  const rooms = await lockRooms(tx, drafts)
  const there = drafts.filter(({ storeId }) => rooms.has(storeId))
  const guests = there.flatMap(({ storeId, by }) => ('accountId' in by ? [{ storeId, ...by }] : []))
  const [earlier, targets, members] = await Promise.all([
    findById(tx, there),
    findTargets(tx, there),
    membersOf(tx, guests),
  ])
  const ledgers = new Map([...rooms].map(([storeId, room]) => [storeId, new ChatLedger(room)]))
  const fates = drafts.map((draft): Fate<ChatRow | undefined> => {
    const { storeId, id, by, targetSeq } = draft
    try {
      const ledger = ledgers.get(storeId)
      if (ledger === undefined) throw new Problem(storeErrors.no_such_store)
      const value = ledger.enter(draft, {
        earlier: earlier.get(`${storeId} ${id}`),
        target: targets.get(`${storeId} ${targetSeq}`),
        member: 'accountId' in by ? members.get(memberKey({ storeId, ...by })) : undefined,
      })
      return { ok: true, value }
    } catch (error) {
      return { ok: false, error }
    }
  })
  const changed = [...ledgers.values()].filter(({ written }) => written.length > 0)
  await write(tx, changed)
  return { fates, told: changed.map((ledger) => newsOf(ledger)) }
}

function newsOf({ room, written }: ChatLedger): RoomNews {
  return { storeId: room.storeId, epoch: room.epoch, prev: room.lastSeq - written.length, rows: written }
}

async function lockRooms(tx: TransactionSql, drafts: readonly ChatDraft[]): Promise<Map<string, LockedRoom>> {
  const storeIds = [...new Set(drafts.map(({ storeId }) => storeId))]
  const rooms = await tx<LockedRoom[]>`
    with locked as materialized (
      select store_id, epoch, last_seq, slow_seconds, pinned_seq, closed_at from chat_rooms
      where store_id = any(${storeIds}) order by store_id for no key update)
    select r.store_id as "storeId", s.organiser_id as "organiserId", s.status = 'closed' as "isOver", r.epoch, r.last_seq as "lastSeq",
      r.slow_seconds as "slowSeconds", r.pinned_seq as "pinnedSeq", r.closed_at as "closedAt",
      clock_timestamp()::timestamptz(3) as now
    from locked r join stores s on s.id = r.store_id`
  return new Map(rooms.map((room) => [room.storeId, room]))
}

async function findById(tx: TransactionSql, drafts: readonly ChatDraft[]): Promise<Map<string, ChatRow>> {
  const { columns, members } = chatRows(tx)
  const rows = await tx<ChatRow[]>`
    select ${columns}
    from unnest(${drafts.map((d) => d.storeId)}::text[], ${drafts.map((d) => d.id)}::text[])
      as d (store_id, id)
    cross join lateral (
      select * from chat_entries where store_id = d.store_id and id = d.id limit 1) e ${members}`
  return new Map(rows.map((row) => [`${row.storeId} ${row.id}`, row]))
}

async function findTargets(tx: TransactionSql, drafts: readonly ChatDraft[]): Promise<Map<string, ChatRow>> {
  const aimed = drafts.flatMap(({ storeId, targetSeq }) =>
    targetSeq === undefined ? [] : [{ storeId, targetSeq }],
  )
  if (aimed.length === 0) return new Map()
  const { columns, members } = chatRows(tx)
  const rows = await tx<ChatRow[]>`
    select ${columns}
    from unnest(${aimed.map((d) => d.storeId)}::text[], ${aimed.map((d) => d.targetSeq)}::bigint[])
      as d (store_id, seq)
    cross join lateral (
      select * from chat_entries where store_id = d.store_id and seq = d.seq limit 1) e ${members}`
  return new Map(rows.map((row) => [`${row.storeId} ${row.seq}`, row]))
}

async function write(tx: TransactionSql, ledgers: readonly ChatLedger[]): Promise<void> {
  if (ledgers.length === 0) return
  const rows = ledgers.flatMap(({ written }) => written)
  await Promise.all([
    insertRows(tx, rows),
    emptyDeleted(
      tx,
      rows.filter(({ kind }) => kind === 'deleted'),
    ),
    updateRooms(
      tx,
      ledgers.map(({ room }) => room),
    ),
  ])
}

async function insertRows(tx: TransactionSql, rows: readonly ChatRow[]): Promise<void> {
  await tx`
    insert into chat_entries (store_id, seq, id, kind, account_id, name, text, target_seq, seconds, at)
    select * from unnest(
      ${rows.map((r) => r.storeId)}::text[], ${rows.map((r) => r.seq)}::bigint[],
      ${rows.map((r) => r.id)}::text[], ${rows.map((r) => r.kind)}::text[],
      ${rows.map((r) => r.accountId)}::text[], ${rows.map((r) => r.name)}::text[],
      ${rows.map((r) => r.text)}::text[], ${rows.map((r) => r.targetSeq)}::bigint[],
      ${rows.map((r) => r.seconds)}::int[], ${rows.map((r) => r.at.toISOString())}::text[]::timestamptz[])`
}

/** What is deleted is gone for good: only that there was something is kept. */
async function emptyDeleted(tx: TransactionSql, rows: readonly ChatRow[]): Promise<void> {
  const emptying = rows.map(
    ({ storeId, targetSeq, at }) => tx`
      update chat_entries set text = '', deleted_at = ${at} where store_id = ${storeId} and seq = ${targetSeq}`,
  )
  await Promise.all(emptying)
}

async function updateRooms(tx: TransactionSql, rooms: readonly LockedRoom[]): Promise<void> {
  await tx`
    update chat_rooms c set last_seq = r.last_seq, slow_seconds = r.slow_seconds, pinned_seq = r.pinned_seq,
      closed_at = r.closed_at
    from unnest(
      ${rooms.map((r) => r.storeId)}::text[], ${rooms.map((r) => r.lastSeq)}::bigint[],
      ${rooms.map((r) => r.slowSeconds)}::int[], ${rooms.map((r) => r.pinnedSeq)}::bigint[],
      ${rooms.map((r) => r.closedAt?.toISOString() ?? null)}::text[]::timestamptz[])
      as r (store_id, last_seq, slow_seconds, pinned_seq, closed_at)
    where c.store_id = r.store_id`
}
