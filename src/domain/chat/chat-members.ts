import { Batcher } from '../../db/batcher.ts'
import { isPostgresAway, type Sql, type TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { generalErrors, Problem } from '../../errors.ts'
import type { Ids } from '../../ids.ts'
import { chatErrors } from './chat-errors.ts'
import type { ChatMember } from './chat-ledger.ts'
import { guestName } from './guest-name.ts'
import { storeErrors } from '../stores/store-errors.ts'

/** An account in a room; `memberId` is the one it gets if it is new there. */
export interface ChatGuest {
  readonly storeId: string
  readonly accountId: string
  readonly memberId: string
}

/** Who is known in the rooms, and by which name. A crowd that comes at once is written in few statements. */
export class ChatMembers {
  readonly #sql: Sql
  readonly #ids: Ids
  readonly #entering: Batcher<ChatGuest, ChatMember>

  constructor({ sql, ids }: { readonly sql: Sql; readonly ids: Ids }) {
    this.#sql = sql
    this.#ids = ids
    this.#entering = new Batcher({
      batchMax: 500,
      queueMax: 20_000,
      run: async (guests) => {
        const members = await transaction(sql, (tx) => membersOf(tx, guests))
        return guests.map((guest) => {
          const value = members.get(memberKey(guest))
          return value ? { ok: true, value } : { ok: false, error: new Problem(storeErrors.no_such_store) }
        })
      },
      aloneAfter: (error) => !isPostgresAway(error),
    })
  }

  /** The member an account is in a room, new or known. Throws `no_such_store`. */
  enter(storeId: string, accountId: string): Promise<ChatMember> {
    return this.#entering.add({ storeId, accountId, memberId: this.#ids.next('cme') })
  }

  /** What is said from now on is said under the new name. */
  async rename(storeId: string, accountId: string, name: string): Promise<void> {
    await this.#sql`
      update chat_members set name = ${name} where store_id = ${storeId} and account_id = ${accountId}`
  }

  /**
   * Nothing of the member is written after this resolves, until the time is over: the room is locked as it is while
   * entries are written. Throws `no_such_store`, `no_such_member` and `forbidden`.
   */
  async mute(mute: {
    readonly storeId: string
    readonly organiserId: string
    readonly memberId: string
    readonly minutes: number
  }): Promise<{ accountId: string; until: Date }> {
    const { storeId, organiserId, memberId, minutes } = mute
    return await transaction(this.#sql, async (tx) => {
      const [room] = await tx<{ organiserId: string }[]>`
        select s.organiser_id as "organiserId" from chat_rooms r join stores s on s.id = r.store_id
        where r.store_id = ${storeId} for no key update of r`
      if (room === undefined) throw new Problem(storeErrors.no_such_store)
      if (room.organiserId !== organiserId) throw new Problem(generalErrors.forbidden)
      const [muted] = await tx<{ accountId: string; until: Date }[]>`
        update chat_members set muted_until = clock_timestamp() + ${minutes} * interval '1 minute'
        where store_id = ${storeId} and member_id = ${memberId}
        returning account_id as "accountId", muted_until as until`
      if (muted === undefined) throw new Problem(chatErrors.no_such_member)
      return muted
    })
  }
}

export function memberKey(who: { readonly storeId: string; readonly accountId: string }): string {
  return `${who.storeId} ${who.accountId}`
}

/** The members of guests in rooms that exist, by their keys; written in one order, so that nobody waits in a circle. */
export async function membersOf(
  tx: TransactionSql,
  guests: readonly ChatGuest[],
): Promise<Map<string, ChatMember>> {
  const known = await readMembers(tx, guests)
  const missing = guests.filter((guest) => !known.has(memberKey(guest)))
  if (missing.length === 0) return known
  await tx`
    insert into chat_members (store_id, account_id, member_id, name)
    select g.store_id, g.account_id, g.member_id, g.name
    from unnest(
      ${missing.map((guest) => guest.storeId)}::text[], ${missing.map((guest) => guest.accountId)}::text[],
      ${missing.map((guest) => guest.memberId)}::text[],
      ${missing.map((guest) => guestName(guest.memberId))}::text[])
      as g (store_id, account_id, member_id, name)
    join chat_rooms r on r.store_id = g.store_id
    order by g.store_id, g.account_id
    on conflict (store_id, account_id) do nothing`
  return new Map([...known, ...(await readMembers(tx, missing))])
}

async function readMembers(
  tx: TransactionSql,
  guests: readonly ChatGuest[],
): Promise<Map<string, ChatMember>> {
  if (guests.length === 0) return new Map()
  const rows = await tx<(ChatMember & { storeId: string; accountId: string })[]>`
    select m.store_id as "storeId", m.account_id as "accountId", m.member_id as "memberId", m.name,
      m.muted_until as "mutedUntil"
    from unnest(
      ${guests.map((guest) => guest.storeId)}::text[], ${guests.map((guest) => guest.accountId)}::text[])
      as g (store_id, account_id)
    cross join lateral (
      select * from chat_members where store_id = g.store_id and account_id = g.account_id limit 1) m`
  return new Map(rows.map((row) => [memberKey(row), row]))
}
