import t from 'tap'
import { makeAccount, makeSale } from '../../../test/support/sales.ts'
import { useHouse } from '../../../test/support/house.ts'

t.test('the gate', async (t) => {
  const house = await useHouse(t)
  const { sql, queue } = house
  const people = (count: number) => Promise.all(Array.from({ length: count }, () => makeAccount(sql)))
  const standing = async (saleId: string, accounts: readonly string[]) =>
    (await queue.standing(saleId, accounts)).places.map((place) => place.state)

  await t.test('lets people in one after another, in the order in which they came, at the pace of the sale', async (t) => {
    const sale = await makeSale(sql, { changes: { queue: { ratePerMinute: 120, maxActive: 100 } } })
    const { gate } = await house.gate(sale.id)
    const [a = '', b = '', c = '', d = ''] = await people(4)
    for (const account of [a, b, c, d]) await queue.join(sale.id, account)
    await house.passMs(sale.id, 1000)
    await gate.tick()
    t.same(await standing(sale.id, [a, b, c, d]), ['admitted', 'admitted', 'waiting', 'waiting'])
    await house.passMs(sale.id, 1000)
    await gate.tick()
    t.same(await standing(sale.id, [c, d]), ['admitted', 'admitted'])
    const rows = await sql`select account_id from admissions where sale_id = ${sale.id} order by sequence`
    t.same(rows.map((row) => row['account_id']), [a, b, c, d], 'each is durable')
  })
})
