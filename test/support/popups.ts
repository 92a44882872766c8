import type { Sql } from '../../src/db/postgres.ts'
import { randomIds } from '../../src/ids.ts'
import { makeOrganiser } from './sales.ts'

/** A pop-up store that is open, with its room. */
export interface Popup {
  readonly storeId: string
  readonly organiserId: string
}

/** Straight into the tables. */
export async function makePopup(
  sql: Sql,
  options: { maxPerAccount?: number; status?: 'open' | 'closed' } = {},
): Promise<Popup> {
  const organiserId = await makeOrganiser(sql)
  const storeId = randomIds.next('sto')
  await sql`
    insert into stores (id, organiser_id, name, name_grams, name_folded, name_initials, description, category, address,
      latitude, longitude, opens_at, closes_at, opening_hours, links, max_per_account, status)
    values (${storeId}, ${organiserId}, 'A store', '{}', 'astore', '', '', 'fashion', 'Seoul', 37.5, 127,
      now() - interval '1 day', now() + interval '30 days', '[]', '[]', ${options.maxPerAccount ?? null},
      ${options.status ?? 'open'})`
  await sql`insert into chat_rooms (store_id) values (${storeId})`
  return { storeId, organiserId }
}
