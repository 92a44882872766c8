import t from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { useHouse } from '../../../test/support/house.ts'
import { MemoryKeyStore } from '../../../test/support/memory-key-store.ts'
import { makeSale } from '../../../test/support/sales.ts'
import { at, makePeople } from '../../../test/support/shop.ts'
import { randomIds } from '../../ids.ts'
import { SigningKeys } from '../accounts/signing-keys.ts'
import { saleKeys } from '../sale-state/sale-keys.ts'
import { QueueJoining, type QueueJoiningOptions } from './queue-joining.ts'
import { epochOfSequence } from './queue-place.ts'
import type { Joined } from './queue-store.ts'
import { QueueTickets } from './queue-ticket.ts'

const house = await useHouse(t)
const { sql, queue, state, catalogue } = house
const newTickets = async () => {
  const store = new MemoryKeyStore()
  const keys = new SigningKeys({ store, clock: new FakeClock(), ids: randomIds, log: house.log })
  await keys.run()
  t.teardown(() => keys.stop())
  return new QueueTickets(keys)
}
const tickets = await newTickets()
const newJoining = (options: Partial<QueueJoiningOptions> = {}) =>
  new QueueJoining({
    sql,
    state,
    queue,
    tickets,
    catalogue,
    entering: house.entering,
    remember: () => {},
    forget: () => {},
    ...options,
  })
const joining = newJoining()
const join = async (saleId: string, accountId: string, ticket?: string): Promise<Joined> => {
  const { joined } = await joining.join(saleId, { accountId, verified: false }, ticket)
  if (joined.state === 'entered') throw new Error('this is no lottery')
  return joined
}
const ticketFor = (saleId: string, accountId: string, sequence: number) =>
  tickets.issue({ sale: saleId, account: accountId, sequence, epoch: epochOfSequence(sequence), issuedAt: 1 })
/** The accounts of the line, the front first. */
const line = (saleId: string) => house.redis.zrange(saleKeys(saleId).queue, 0, -1)
/** A sale with a line; `loss` takes all of it away and opens a new epoch in which nobody is admitted yet. */
const lineOf = async (count: number, queueSettings = { ratePerMinute: 60_000, maxActive: 1000 }) => {
  const sale = await makeSale(sql, { changes: { queue: queueSettings } })
  let { gate } = await house.gate(sale.id)
  const people = await makePeople(sql, count)
  const places: Joined[] = []
  for (const account of people) places.push(await join(sale.id, account))
  const held = people.map((account, index) => ticketFor(sale.id, account, at(places, index).sequence))
  const loss = async () => {
    await house.redis.flushall()
    ;({ gate } = await house.gate(sale.id, { restoreMs: 15_000 }))
    return gate
  }
  return { sale, saleId: sale.id, gate, people, places, held, loss }
}
const openAndAdmit = async (saleId: string, gate: Awaited<ReturnType<typeof house.gate>>['gate']) => {
  await house.passMs(saleId, 15_000)
  await gate.tick()
  const rows = await sql<{ account_id: string }[]>`
    select account_id from admissions where sale_id = ${saleId} order by sequence`
  return rows.map((row) => row.account_id)
}

t.test(
  'whoever joins at the same moment stands in the order of coming, each with an answer of their own',
  async (t) => {
    const { sale } = await lineOf(1)
    const closed = await makeSale(sql, {
      changes: { opensAt: '2100-01-01T00:00:00Z', closesAt: '2100-01-02T00:00:00Z' },
    })
    await house.gate(closed.id)
    const people = await makePeople(sql, 100)
    const [first = ''] = await line(sale.id)
    const [early, again, ...others] = await Promise.allSettled([
      queue.join(closed.id, at(people, 0)),
      queue.join(sale.id, first),
      ...people.map((accountId) => queue.join(sale.id, accountId)),
    ])
    t.match(early, { reason: { code: 'not_open_yet' } })
    t.match(again, { value: { state: 'waiting', created: false, ahead: 0 } })
    t.same(await line(sale.id), [first, ...people])
    const joined = others.map((one) => (one.status === 'fulfilled' ? one.value : undefined))
    joined.forEach((place, index) =>
      t.match(place, { state: 'waiting', created: true, ahead: index + 1, behind: 0 }),
    )
  },
)

t.test(
  'after the loss of the line tickets bring it back in its old order, before everybody new',
  async (t) => {
    const { saleId, people, held, places, loss } = await lineOf(6)
    const gate = await loss()
    t.same(await line(saleId), [])
    const strangers = await makePeople(sql, 2)
    const young = []
    for (const account of strangers) young.push(await join(saleId, account))
    const highest = Math.max(...places.map((place) => place.sequence))
    t.ok(
      young.every((place) => place.sequence > highest),
      'a new sequence lies behind all older ones',
    )
    for (const index of [4, 1, 5, 0, 3, 2]) {
      const back = await join(saleId, at(people, index), at(held, index))
      t.equal(back.sequence, at(places, index).sequence)
    }
    t.same(await line(saleId), [...people, ...strangers])
    t.same(await openAndAdmit(saleId, gate), [...people, ...strangers], 'first come, first served')
  },
)

t.test('who joined anew in haste gets the older place back with the ticket', async (t) => {
  const { saleId, people, held, places, loss } = await lineOf(2)
  await loss()
  const [second, first] = [at(people, 1), at(people, 0)]
  await join(saleId, second)
  await join(saleId, first)
  t.same(await line(saleId), [second, first])
  t.equal((await join(saleId, first, at(held, 0))).sequence, at(places, 0).sequence)
  t.same(await line(saleId), [first, second])
  t.equal((await join(saleId, first)).sequence, at(places, 0).sequence, 'and keeps it')
})

t.test('a process that has not heard of the loss yet brings a ticket back all the same', async (t) => {
  const { saleId, people, held, loss } = await lineOf(3)
  const before = state.epoch(saleId)
  await loss()
  const latecomer = at(await makePeople(sql, 1), 0)
  await join(saleId, latecomer)
  for (const [index, account] of people.entries()) {
    state.setEpoch(saleId, before)
    t.equal((await join(saleId, account, held[index])).sequence, tickets.read(at(held, index))?.sequence)
  }
  t.same(await line(saleId), [...people, latecomer])
})

t.test('a ticket is not worth anything after the admission it led to', async (t) => {
  const { saleId, people, held, gate, loss, places } = await lineOf(2)
  await house.passMs(saleId, 1000)
  await gate.tick()
  // Their tokens end, so that nothing but the record of the admission stands against the tickets.
  await sql`update admissions set closed_at = now(), closed_as = 'ended' where sale_id = ${saleId}`
  await loss()
  const account = at(people, 0)
  const again = await join(saleId, account, at(held, 0))
  t.not(again.sequence, at(places, 0).sequence)
  t.equal(epochOfSequence(again.sequence), state.epoch(saleId))
})

t.test('who was let in before the loss is in after it', async (t) => {
  const { saleId, people, held, gate, loss, places } = await lineOf(2)
  await house.passMs(saleId, 1000)
  await gate.tick()
  await loss()
  const back = await join(saleId, at(people, 0), at(held, 0))
  t.match(back, { state: 'admitted', sequence: at(places, 0).sequence })
  t.same(await line(saleId), [])
})

t.test('a ticket does not bring back a place that was given up', async (t) => {
  const { saleId, people, held, places, loss } = await lineOf(2)
  const account = at(people, 0)
  await joining.leave(saleId, account)
  t.same(await line(saleId), people.slice(1))
  await t.rejects(joining.leave(saleId, account), { code: 'not_in_line' })
  await loss()
  t.not((await join(saleId, account, at(held, 0))).sequence, at(places, 0).sequence)
})

t.test('a ticket of the present epoch changes nothing: Redis knows better', async (t) => {
  const { saleId, people, held, places } = await lineOf(3)
  const account = at(people, 0)
  await joining.leave(saleId, account)
  const again = await join(saleId, account, at(held, 0))
  t.ok(again.sequence > at(places, 2).sequence)
  t.same(await line(saleId), [...people.slice(1), account])
})

t.test('inside an epoch Redis itself puts nobody before who is there', async (t) => {
  const { saleId, people, places } = await lineOf(2)
  const ahead = { accountId: at(people, 1), sequence: at(places, 0).sequence - 0.5 }
  const stranger = { accountId: at(await makePeople(sql, 1), 0), sequence: at(places, 0).sequence }
  t.equal(await queue.restore(saleId, [ahead, stranger]), 0)
  t.same(await line(saleId), people)
})

t.test('a forged ticket, one of somebody else and one of another sale are refused', async (t) => {
  const { saleId, people, held, loss } = await lineOf(2)
  const other = await lineOf(1)
  const forger = await newTickets()
  await loss()
  const account = at(people, 0)
  const old = 2 ** 32 - 1
  const bad = {
    'signed by somebody else': forger.issue({ sale: saleId, account, sequence: old, epoch: 0, issuedAt: 1 }),
    'of another account': at(held, 1),
    'of another sale': ticketFor(other.saleId, account, old),
    'whose epoch is not the one of its sequence': tickets.issue({
      sale: saleId,
      account,
      sequence: 2 * 2 ** 32,
      epoch: 0,
      issuedAt: 1,
    }),
    'that is none': 'ticket',
  }
  for (const [name, ticket] of Object.entries(bad)) {
    await t.rejects(join(saleId, account, ticket), { code: 'queue_ticket_invalid' }, `a ticket ${name}`)
  }
  t.same(await line(saleId), [], 'and leave no trace')
})

t.test('the same ticket, shown by a crowd of tabs, brings one place back', async (t) => {
  const { saleId, people, held, places, loss } = await lineOf(1)
  await loss()
  const tabs = await Promise.all(Array.from({ length: 20 }, () => join(saleId, at(people, 0), at(held, 0))))
  t.same(new Set(tabs.map((tab) => tab.sequence)), new Set([at(places, 0).sequence]))
  t.same(await line(saleId), people)
})

t.test('over several losses sequences only grow, and the oldest ticket still comes first', async (t) => {
  const { saleId, people, held, places, loss } = await lineOf(1)
  let highest = at(places, 0).sequence
  const later: string[] = []
  for (let round = 0; round < 3; round++) {
    await loss()
    const account = at(await makePeople(sql, 1), 0)
    const { sequence } = await join(saleId, account)
    t.ok(sequence > highest)
    highest = sequence
    later.push(ticketFor(saleId, account, sequence))
  }
  await loss()
  for (const ticket of later.toReversed()) {
    const { account } = tickets.read(ticket) ?? { account: '' }
    await join(saleId, account, ticket)
  }
  await join(saleId, at(people, 0), at(held, 0))
  const accounts = later.map((ticket) => tickets.read(ticket)?.account)
  t.same(await line(saleId), [at(people, 0), ...accounts])
})

t.test('whoever joins is remembered by this process, and whoever leaves is forgotten', async (t) => {
  const { saleId } = await lineOf(0)
  const told: string[] = []
  const own = newJoining({
    remember: (_sale, waiter) => told.push(`+${waiter.accountId} ${waiter.sequence}`),
    forget: (_sale, accountId) => told.push(`-${accountId}`),
  })
  const accountId = at(await makePeople(sql, 1), 0)
  const { joined } = await own.join(saleId, { accountId, verified: false })
  await own.leave(saleId, accountId)
  t.match(joined, { state: 'waiting' })
  t.same(told, [`+${accountId} ${'sequence' in joined ? joined.sequence : ''}`, `-${accountId}`])
})

t.test('a sale for verified accounts admits no guests to its line', async (t) => {
  const sale = await makeSale(sql, { changes: { admits: 'verified' } })
  await house.gate(sale.id)
  const accountId = at(await makePeople(sql, 1), 0)
  await t.rejects(joining.join(sale.id, { accountId, verified: false }), { code: 'verified_only' })
  t.match(await joining.join(sale.id, { accountId, verified: true }), { joined: { state: 'waiting' } })
})

t.test('before a sale has a writer nobody is told anything wrong', async (t) => {
  const sale = await makeSale(sql)
  const accountId = at(await makePeople(sql, 1), 0)
  await t.rejects(join(sale.id, accountId), { code: 'restoring' })
  await t.rejects(join(sale.id, accountId, ticketFor(sale.id, accountId, 1)), { code: 'restoring' })
  await t.rejects(join(randomIds.next('sal'), accountId), { code: 'no_such_sale' })
})
