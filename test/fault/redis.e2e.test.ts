import t from 'tap'
import type { Buyer } from '../support/buyer.ts'
import { freeSlots, type Calls } from '../support/calls.ts'
import { api, textAt } from '../support/contract.ts'
import { admissionsOf, lineUp, useFleet, type Fleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

const inside = 5

/** Sixty people at two processes; five of them are let in. */
async function waitingRoom(fleet: Fleet) {
  // Edges that had just begun do not vouch for a line, so a loss costs the full time here.
  const env = { OPENRUN_RESTORE_SECONDS: '10' }
  const servers = [await fleet.start(env), await fleet.start(env)] as const
  const saleId = await servers[0].sale({
    ...freeSlots(1, 100),
    queue: { maxActive: inside, ratePerMinute: 1500 },
  })
  const buyers = await lineUp(saleId, 60, servers)
  const streams = await Promise.all(buyers.map((buyer) => buyer.stream(saleId)))
  const tokens = await Promise.all(
    streams
      .slice(0, inside)
      .map(async ({ events }) => textAt((await events.next('admitted')).data, 'purchaseToken')),
  )
  return { servers, saleId, buyers, streams, tokens }
}

async function everybodyIsLetIn(
  fleet: Fleet,
  { servers, saleId, buyers, streams }: Awaited<ReturnType<typeof waitingRoom>>,
) {
  await servers[0].change(saleId, { queue: { maxActive: 100 } })
  const told = await Promise.all(streams.slice(inside).map(({ events }) => events.next('admitted')))
  const rows = await admissionsOf(fleet.sql, saleId)
  const accounts = rows.map((row) => row.account)
  const expected = buyers.map((buyer) => buyer.id)
  return { told: told.length, accounts, expected }
}

/** Books one place, asking again while the server says that it is only for now. */
async function bookAtLast(buyer: Buyer, saleId: string, token: string): Promise<number> {
  const book = () => buyer.book(saleId, token, { best: { count: 1 } })
  let answer = await book()
  await until(
    'the sale works again',
    async () => answer.status !== 503 || (answer = await book()).status !== 503,
  )
  return answer.status
}

t.test('Redis forgets everything: the line is put back in its order, tokens stay valid', async (t) => {
  const fleet = await useFleet(t)
  const room = await waitingRoom(fleet)
  const { saleId, buyers, tokens } = room
  await fleet.redis.flushall()
  const statuses = await Promise.all(
    tokens.map((token, index) => bookAtLast(buyers[index] as Buyer, saleId, token)),
  )
  t.same(statuses, [201, 201, 201, 201, 201])
  const { told, accounts, expected } = await everybodyIsLetIn(fleet, room)
  t.equal(told, 55)
  t.same(accounts, expected)
  const [row] = await fleet.sql`select epoch::int as epoch from sale_writers where sale_id = ${saleId}`
  t.equal(row?.['epoch'], 2)
})

t.test(
  'Redis is killed and starts again from its file: nothing is lost and nobody is let in twice',
  async (t) => {
    const fleet = await useFleet(t, { appendOnly: true })
    const room = await waitingRoom(fleet)
    const { saleId, buyers, tokens, servers } = room
    await fleet.redisServer.kill()
    const away = await Promise.all(servers.map((server) => joinOnce(server, saleId)))
    t.same(away, ['unavailable', 'unavailable'])
    await until('it is degraded', async () => {
      const { status, body } = await servers[1].call('GET', '/readyz')
      return status === 200 && body['status'] === 'degraded'
    })
    await fleet.redisServer.restart()
    const statuses = await Promise.all(
      tokens.map((token, index) => bookAtLast(buyers[index] as Buyer, saleId, token)),
    )
    t.same(statuses, [201, 201, 201, 201, 201])
    const { told, accounts, expected } = await everybodyIsLetIn(fleet, room)
    t.equal(told, 55)
    t.same(accounts, expected)
  },
)

t.test(
  'Redis forgets everything while an edge dies: its people bring their tickets and stand where they stood',
  async (t) => {
    const fleet = await useFleet(t)
    const env = { OPENRUN_RESTORE_SECONDS: '10' }
    const servers = [await fleet.start(env), await fleet.start(env)] as const
    const saleId = await servers[0].sale({ ...freeSlots(1, 100), queue: { maxActive: 1 } })
    const inside = await servers[1].guest()
    await inside.letIn(saleId)
    const people = await servers[1].guests(20)
    const tickets: string[] = []
    for (const [index, guest] of people.entries()) {
      const { body } = await guest.at(index % 2 === 0 ? servers[0] : servers[1]).join(saleId)
      tickets.push(textAt(body, 'ticket'))
    }
    await servers[0].process.kill()
    await fleet.redis.flushall()
    for (const [index, guest] of people.entries()) {
      if (index % 2 === 0) await guest.join(saleId, tickets[index])
    }
    const latecomer = await servers[1].guest()
    await latecomer.join(saleId)
    const streams = await Promise.all([...people, latecomer].map((guest) => guest.stream(saleId)))
    await servers[1].change(saleId, { queue: { maxActive: 100 } })
    await Promise.all(streams.map(({ events }) => events.next('admitted')))
    const accounts = (await admissionsOf(fleet.sql, saleId)).map((row) => row.account)
    t.same(accounts, [inside.id, ...people.map((guest) => guest.id), latecomer.id])
  },
)

t.test(
  'Redis hangs for a while: what was asked is refused for now, and asking again gives the one place',
  async (t) => {
    const fleet = await useFleet(t)
    const server = await fleet.start()
    const saleId = await server.sale({ ...freeSlots(1, 100), queue: { maxActive: 1 } })
    await (await server.guest()).letIn(saleId)
    const [first, second] = await server.guests(2)
    if (!first || !second) throw new Error('no guests')
    fleet.redisServer.signal('SIGSTOP')
    const hung = await first.call('POST', `${api}/sales/${saleId}/queue`, { body: {} })
    t.match(hung.body, { code: 'unavailable', retryable: true })
    fleet.redisServer.signal('SIGCONT')
    t.equal((await first.join(saleId)).body['position'], 1, 'what was asked meanwhile is kept, once')
    t.equal((await second.join(saleId)).body['position'], 2)
    t.equal((await first.join(saleId)).body['position'], 1)
  },
)

async function joinOnce(server: Calls, saleId: string): Promise<unknown> {
  const guest = await server.guest()
  const answer = await guest.call('POST', `${api}/sales/${saleId}/queue`, { body: {} })
  return answer.body['code']
}
