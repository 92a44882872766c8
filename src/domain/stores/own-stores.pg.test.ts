import t from 'tap'
import { makeOrganiser } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { randomIds } from '../../ids.ts'
import { listOwnStores } from './own-stores.ts'
import { newStore } from './store-messages.ts'
import { registerStore } from './store-registering.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 4, name: 'own-stores' })
t.teardown(() => sql.end({ timeout: 1 }))

const register = async (organiserId: string, name: string, opensInDays: number) => {
  const opensAt = new Date(Date.now() + opensInDays * 86_400_000).toISOString()
  const closesAt = new Date(Date.now() + 90 * 86_400_000).toISOString()
  const place = { category: 'art', address: 'Seoul', latitude: 37.5, longitude: 127 }
  const description = newStore.parse({ name, ...place, opensAt, closesAt })
  return await registerStore(sql, { storeId: randomIds.next('sto'), organiserId, description })
}

t.test('an organiser sees all stores of their own, page by page, and nobody else’s', async (t) => {
  const [me, other] = [await makeOrganiser(sql), await makeOrganiser(sql)]
  for (const [index, name] of ['a', 'b', 'c', 'd', 'e'].entries()) await register(me, name, index)
  await register(other, 'not mine', 2)
  await sql`update stores set status = 'closed' where name = 'c' and organiser_id = ${me}`
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = await listOwnStores(sql, { organiserId: me, cursor, limit: 2 })
    names.push(...page.items.map(({ name, status }) => `${name} ${status}`))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  t.same(names, ['e open', 'd open', 'c closed', 'b open', 'a open'])
})
