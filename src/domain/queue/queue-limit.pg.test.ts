import t from 'tap'
import { useHouse } from '../../../test/support/house.ts'
import { at, mustHold, openShop } from '../../../test/support/shop.ts'
import { randomIds } from '../../ids.ts'
import { placeTuple } from '../units/hold.ts'

t.test('who has bought all that an account may have', async (t) => {
  const house = await useHouse(t)
  const { sale, buyers } = await openShop(house, { buyers: 1, queue: { maxPerAccount: 1 } })
  const buyer = at(buyers, 0)
  const hold = await mustHold(house, { saleId: sale.id, buyer, wants: [{ unitNo: 0, quantity: 1 }] })
  const order = randomIds.next('ord')
  await house.holds.pin(sale.id, { holdId: hold.id, accountId: buyer.accountId, orderId: order })
  const change = { order, account: buyer.accountId, places: hold.places.map(placeTuple) }
  await house.holds.apply(sale.id, [{ ...change, hold: hold.id, status: 'booked' }])

  await t.test('is not let into the line again', async (t) => {
    await t.rejects(house.queue.join(sale.id, buyer.accountId), { code: 'limit_reached' })
    const { places } = await house.queue.standing(sale.id, [buyer.accountId])
    t.same(places, [{ state: 'absent' }])
  })

  await t.test('may stand in line again once a place was given back', async (t) => {
    await house.holds.apply(sale.id, [{ ...change, status: 'free' }])
    t.match(await house.queue.join(sale.id, buyer.accountId), { state: 'waiting', created: true })
  })
})
