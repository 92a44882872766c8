import t from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { useHouse } from '../../../test/support/house.ts'
import { makeSale } from '../../../test/support/sales.ts'
import { at, makePeople } from '../../../test/support/shop.ts'
import { randomIds } from '../../ids.ts'
import { DrawEntering } from './draw-entering.ts'

const { sql, entering } = await useHouse(t)
const lottery = async () => {
  const opensAt = new Date(Date.now() + 3_600_000).toISOString()
  const closesAt = new Date(Date.now() + 7_200_000).toISOString()
  const { id } = await makeSale(sql, { changes: { opensAt, closesAt, queue: { mode: 'lottery' } } })
  return { saleId: id }
}

t.test(
  'an entry taken back and made anew at one edge is the new one at every edge, ten seconds later',
  async (t) => {
    const l = await lottery()
    const clock = new FakeClock()
    const other = new DrawEntering({ sql, ids: randomIds, clock })
    const account = at(await makePeople(sql, 1), 0)
    const first = await entering.enter(l.saleId, account)
    t.equal((await other.of(l.saleId, [account])).get(account), first.entryId)
    await entering.withdraw(l.saleId, account)
    await clock.advance(10_000)
    t.equal((await other.of(l.saleId, [account])).get(account), undefined, 'taken back')
    const second = await entering.enter(l.saleId, account)
    await clock.advance(10_000)
    t.equal((await other.of(l.saleId, [account])).get(account), second.entryId, 'made anew')
    await other.withdraw(l.saleId, account)
    const third = await other.enter(l.saleId, account)
    t.equal(
      (await other.of(l.saleId, [account])).get(account),
      third.entryId,
      'where it is done it is known at once',
    )
  },
)

t.test('at one edge, too, when somebody asks while it is taken back', async (t) => {
  const l = await lottery()
  const account = at(await makePeople(sql, 1), 0)
  await entering.enter(l.saleId, account)
  const asking = entering.of(l.saleId, [account])
  await Promise.all([entering.withdraw(l.saleId, account), asking])
  t.equal((await entering.of(l.saleId, [account])).get(account), undefined)
})

t.test('who has not entered is not asked for in PostgreSQL again and again', async (t) => {
  const l = await lottery()
  const people = await makePeople(sql, 10)
  let queries = 0
  const counting = new Proxy(sql, {
    apply: (target, self, args) => {
      if (Array.isArray(args[0]) && 'raw' in args[0]) queries++
      return Reflect.apply(target as never, self, args) as never
    },
  })
  const mine = new DrawEntering({ sql: counting, ids: randomIds, clock: new FakeClock() })
  for (let i = 0; i < 5; i++) await mine.of(l.saleId, people)
  t.ok(queries <= 1, `${queries} queries in 5 rounds`)
})
