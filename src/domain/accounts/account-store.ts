import { Batcher } from '../../db/batcher.ts'
import type { Sql } from '../../db/postgres.ts'
import type { Account, AccountKind } from './account.ts'

/** Accounts in PostgreSQL. A crowd of guests is written in few statements. */
export class AccountStore {
  readonly #sql: Sql
  readonly #guests: Batcher<string, Account>

  constructor(sql: Sql, limits: { readonly batchMax?: number; readonly queueMax?: number } = {}) {
    this.#sql = sql
    this.#guests = new Batcher<string, Account>({
      batchMax: limits.batchMax ?? 500,
      queueMax: limits.queueMax ?? 20_000,
      run: async (ids) => {
        await insertGuests(sql, ids)
        return ids.map((id) => ({ ok: true, value: { id, kind: 'guest' } }))
      },
    })
  }

  /** Resolves when the guest is on disk; the same id twice is one guest. Rejects with `unavailable` in too big a crowd. */
  createGuest(id: string): Promise<Account> {
    return this.#guests.add(id)
  }

  async find(id: string): Promise<Account | undefined> {
    const [row] = await this.#sql<{ id: string; kind: AccountKind }[]>`
      select id, kind from accounts where id = ${id}`
    return row
  }
}

async function insertGuests(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql`
    insert into accounts (id, kind)
    select id, 'guest' from unnest(${[...ids]}::text[]) as id
    on conflict (id) do nothing`
}
