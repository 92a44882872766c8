import t from 'tap'
import { useHouse } from '../../../test/support/house.ts'
import { makeSale } from '../../../test/support/sales.ts'
import { at, makePeople } from '../../../test/support/shop.ts'
import { usedSequences } from './admission-store.ts'

const house = await useHouse(t)
const { sql, queue } = house
const graceMs = 90_000

/** A line whose members joined so long ago that nobody knows any more whether they are there; one is let in a second. */
const silentLine = async (count: number, options: { ratePerMinute?: number } = {}) => {
  const changes = { queue: { ratePerMinute: 60, maxActive: 50, graceSeconds: 90, ...options } }
  const sale = await makeSale(sql, { changes })
  const { gate } = await house.gate(sale.id)
  const people = await makePeople(sql, count)
  const sequences = []
  for (const account of people) sequences.push((await queue.join(sale.id, account)).sequence)
  await house.passAtWorkMs(sale.id, graceMs + 1000)
  const stateOf = async (index: number) => {
    const { places } = await queue.standing(sale.id, [at(people, index)])
    return places[0]?.state
  }
  const beThere = (...indexes: number[]) =>
    queue.present(
      sale.id,
      indexes.map((index) => at(people, index)),
    )
  const nextSecond = async () => {
    await house.passMs(sale.id, 1000)
    return await gate.tick()
  }
  return { sale, gate, people, sequences, stateOf, beThere, nextSecond }
}

t.test('who is away at their turn is set aside, and the next one who is there is let in', async (t) => {
  const { gate, stateOf, beThere } = await silentLine(3)
  await beThere(1)
  const report = await gate.tick()
  t.equal(report?.told, 1)
  t.equal(report?.setAside, 1)
  t.same([await stateOf(0), await stateOf(1), await stateOf(2)], ['aside', 'admitted', 'waiting'])
})

t.test('who comes back within the second grace is first again', async (t) => {
  const { sale, people, sequences, gate, stateOf, beThere, nextSecond } = await silentLine(3)
  await beThere(1, 2)
  await gate.tick()
  await house.passAtWorkMs(sale.id, graceMs - 30_000)
  await beThere(2)
  t.equal(await beThere(0), 1, 'one came back')
  const { places } = await queue.standing(sale.id, [at(people, 0), at(people, 2)])
  t.match(places[0], { state: 'waiting', ahead: 0, sequence: at(sequences, 0) })
  t.match(places[1], { state: 'waiting', ahead: 1 })
  await nextSecond()
  t.same([await stateOf(0), await stateOf(2)], ['admitted', 'waiting'], 'before who came later and stayed')
})

t.test('joining again is coming back', async (t) => {
  const { sale, people, sequences, gate } = await silentLine(2)
  await gate.tick()
  const joined = await queue.join(sale.id, at(people, 0))
  t.match(joined, { state: 'waiting', created: false, sequence: at(sequences, 0), ahead: 0 })
})

t.test(
  'who stays away for the second grace too has lost the place, and no ticket brings it back',
  async (t) => {
    const { sale, people, sequences, gate, stateOf, beThere, nextSecond } = await silentLine(1)
    await gate.tick()
    t.equal(await stateOf(0), 'aside')
    await house.passAtWorkMs(sale.id, graceMs + 1)
    await nextSecond()
    t.equal(await stateOf(0), 'absent')
    t.equal(await beThere(0), 0)
    const used = await usedSequences(sql, [{ saleId: sale.id, sequence: at(sequences, 0) }])
    t.equal(used.size, 1)
    const rows = await sql`select account_id, reason from queue_leaves where sale_id = ${sale.id}`
    t.same([...rows], [{ account_id: at(people, 0), reason: 'no_show' }])
  },
)

t.test('those who are away cost the others nothing of the pace', async (t) => {
  const { beThere, nextSecond } = await silentLine(41)
  let admitted = 0
  await beThere(...Array.from({ length: 10 }, (_, index) => 4 * index + 3))
  for (let second = 0; second < 10; second++) admitted += (await nextSecond())?.told ?? 0
  t.equal(admitted, 10, 'one each second, with three who are away before each of them')
})

t.test('who was seen within the grace needs no sign of life at their turn', async (t) => {
  const { sale, gate, stateOf, beThere } = await silentLine(1)
  await beThere(0)
  await house.passAtWorkMs(sale.id, graceMs - 30_000)
  await gate.tick()
  t.equal(await stateOf(0), 'admitted')
})

t.test('who was set aside may leave for good', async (t) => {
  const { sale, people, gate, stateOf } = await silentLine(1)
  await gate.tick()
  await queue.leave(sale.id, at(people, 0))
  t.equal(await stateOf(0), 'absent')
})

t.test('a loss of Redis neither loses who was aside nor sets aside who could not be seen', async (t) => {
  const { sale, people, sequences, gate, stateOf } = await silentLine(3)
  await gate.tick()
  t.equal(await stateOf(0), 'aside')
  // The file is kept, the process is another one: the state is rebuilt around the line.
  await house.redis.hset(`{${sale.id}}:state`, 'run_id', 'another')
  await gate.tick()
  await house.passMs(sale.id, 1000)
  const report = await gate.tick()
  t.equal(report?.setAside, 0)
  t.equal(await stateOf(0), 'admitted', 'who had been aside is in line again, and first')
  const { places } = await queue.standing(sale.id, [at(people, 1)])
  t.match(places[0], { state: 'waiting', sequence: at(sequences, 1) })
})
