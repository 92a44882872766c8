import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { entryOf, type ChatRow } from './chat-entry.ts'
import type { ChatEntry, ChatRoomView } from './chat-messages.ts'
import { storeErrors } from '../stores/store-errors.ts'

/** Entries with their members, to be selected `from chat_entries e`. */
export function chatRows(sql: Sql | TransactionSql) {
  return {
    columns: sql`e.store_id as "storeId", e.seq, e.id, e.kind, e.account_id as "accountId",
      m.member_id as "memberId", e.name, e.text, e.target_seq as "targetSeq", e.seconds, e.at,
      e.deleted_at as "deletedAt"`,
    members: sql`left join lateral (
      select member_id from chat_members where store_id = e.store_id and account_id = e.account_id limit 1) m on true`,
  }
}

export interface ChatHead {
  readonly storeId: string
  readonly epoch: number
  readonly seq: number
}

/** Where rooms are; one query however many. */
export async function readChatHeads(sql: Sql, storeIds: readonly string[]): Promise<ChatHead[]> {
  if (storeIds.length === 0) return []
  return await sql<ChatHead[]>`
    select store_id as "storeId", epoch, last_seq as seq from chat_rooms where store_id = any(${[...storeIds]})`
}

/**
 * Begins a new epoch of a room that has fewer entries than were told: what is told by number from now on may differ from
 * what was told by it before.
 */
export async function beginChatEpoch(sql: Sql, told: ChatHead): Promise<void> {
  await sql`
    update chat_rooms set epoch = epoch + 1
    where store_id = ${told.storeId} and epoch = ${told.epoch} and last_seq < ${told.seq}`
}

/** Throws `no_such_store`. */
export async function readChatRoom(sql: Sql, storeId: string): Promise<ChatRoomView> {
  const [room] = await sql<ChatRoomView[]>`
    select epoch, last_seq as seq, slow_seconds as "slowSeconds", pinned_seq as pinned,
      closed_at is not null as closed
    from chat_rooms where store_id = ${storeId}`
  if (room === undefined) throw new Problem(storeErrors.no_such_store)
  return room
}

/** The first entries after a number and up to another one, in their order. */
export async function readChatEntries(
  sql: Sql,
  storeId: string,
  range: { readonly after: number; readonly upTo?: number; readonly limit: number },
): Promise<ChatEntry[]> {
  const { columns, members } = chatRows(sql)
  const rows = await sql<ChatRow[]>`
    select ${columns} from chat_entries e ${members}
    where e.store_id = ${storeId} and e.seq > ${range.after}
      ${range.upTo === undefined ? sql`` : sql`and e.seq <= ${range.upTo}`}
    order by e.seq limit ${range.limit}`
  return rows.map(entryOf)
}

export interface HistoryQuery {
  readonly cursor?: string | undefined
  readonly limit: number
  readonly q?: string | undefined
}

/** Entries that one page looks at, however rare what is looked for. */
const searchedMax = 5_000

/** Newest first. Throws `no_such_store`, and `invalid_request` for a cursor not given out. */
export async function readChatHistory(
  sql: Sql,
  storeId: string,
  query: HistoryQuery,
): Promise<{ items: ChatEntry[]; next: string | null }> {
  const { limit, q } = query
  const before =
    query.cursor === undefined ? (await readChatRoom(sql, storeId)).seq + 1 : readSeqCursor(query.cursor)
  const from = q === undefined ? 1 : Math.max(1, before - searchedMax)
  const { columns, members } = chatRows(sql)
  const rows = await sql<ChatRow[]>`
    select ${columns} from chat_entries e ${members}
    where e.store_id = ${storeId} and e.seq < ${before} and e.seq >= ${from}
      ${q === undefined ? sql`` : sql`and e.deleted_at is null and e.text ilike ${`%${q.replace(/[\\%_]/g, '\\$&')}%`}`}
    order by e.seq desc limit ${limit + 1}`
  const items = rows.slice(0, limit).map(entryOf)
  const last = items.at(-1)
  // A search that has looked at enough goes on in the next page.
  const end = rows.length > limit && last !== undefined ? last.seq : from
  return { items, next: end > 1 && (rows.length > limit || from > 1) ? writeSeqCursor(end) : null }
}

function writeSeqCursor(seq: number): string {
  return Buffer.from(`seq:${seq}`).toString('base64url')
}

function readSeqCursor(text: string): number {
  const [, seq] = /^seq:([1-9]\d{0,14})$/.exec(Buffer.from(text, 'base64url').toString()) ?? []
  if (seq !== undefined) return Number(seq)
  throw new Problem(generalErrors.invalid_request, {
    errors: [{ field: 'cursor', message: 'must be `next` of another page' }],
  })
}
