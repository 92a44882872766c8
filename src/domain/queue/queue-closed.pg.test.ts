import t from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { useHouse } from '../../../test/support/house.ts'
import { MemoryKeyStore } from '../../../test/support/memory-key-store.ts'
import { at, makePeople, openShop } from '../../../test/support/shop.ts'
import { randomIds } from '../../ids.ts'
import { SigningKeys } from '../accounts/signing-keys.ts'
import { QueueJoining } from './queue-joining.ts'
import { QueueTickets } from './queue-ticket.ts'

t.test('a sale that is over says so, also when Redis has nothing of it any more', async (t) => {
  const house = await useHouse(t)
  const { sql, state, queue, catalogue, log } = house
  const keys = new SigningKeys({ store: new MemoryKeyStore(), clock: new FakeClock(), ids: randomIds, log })
  await keys.run()
  t.teardown(() => keys.stop())
  const remembering = { remember: () => {}, forget: () => {} }
  const joining = new QueueJoining({
    sql,
    state,
    queue,
    catalogue,
    entering: house.entering,
    tickets: new QueueTickets(keys),
    ...remembering,
  })
  const { sale } = await openShop(house, { buyers: 0 })
  const accountId = at(await makePeople(sql, 1), 0)
  await sql`update sales set status = 'closed', version = version + 1 where id = ${sale.id}`
  catalogue.forget(sale.id)
  await house.redis.flushall()
  await t.rejects(joining.join(sale.id, { accountId, verified: false }), { code: 'sale_closed' })
  await t.rejects(joining.leave(sale.id, accountId), { code: 'sale_closed' })
})
