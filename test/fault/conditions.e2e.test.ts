import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { saleChannels } from '../../src/domain/sale-state/sale-keys.ts'
import { availabilitySnapshot } from '../../src/domain/units/unit-messages.ts'
import { freeSlots } from '../support/calls.ts'
import { api, at, textAt } from '../support/contract.ts'
import { useCuttableProxy } from '../support/cuttable-proxy.ts'
import { useFleet, type Fleet } from '../support/fleet.ts'
import type { Server } from '../support/server-process.ts'
import { until } from '../support/until.ts'
import { begins, complaintsOf, ends, figure, hasBegun, linesOf } from './told-conditions.ts'

t.jobs = 2

const told = { OPENRUN_LOG_LEVEL: 'info' }

// Options of its own for each: tap writes into them.
t.test('Redis is away, has forgotten, and refuses to write', { buffered: true }, async (t) => {
  const fleet = await useFleet(t)
  const server = await fleet.start({ ...told, OPENRUN_RESTORE_SECONDS: '2' })
  const saleId = await server.sale({ ...freeSlots(1), queue: { maxActive: 1 } })
  const [inside, waiting] = await server.guests(2)
  await inside?.letIn(saleId)
  await waiting?.join(saleId)
  await fleet.redisServer.kill()
  const refused = () =>
    server.callFreely('POST', `${api}/sales/${saleId}/queue`, { token: waiting?.token ?? '', body: {} })
  const asked = await Promise.all(Array.from({ length: 100 }, refused))
  t.ok(asked.every(({ status }) => status === 503))
  await begins(t, server, 'redis-away')
  await fleet.redisServer.restart()
  await hasBegun(t, server, 'lines-restoring')
  await ends(t, server, 'redis-away')
  await ends(t, server, 'lines-restoring')
  await until('the line is there', async () => (await waiting?.join(saleId))?.body['position'] === 1)

  await fleet.redis.config('SET', 'maxmemory', '1')
  await begins(t, server, 'redis-refuses-writes')
  t.match(linesOf(server, 'redis-refuses-writes')[0], { reason: 'OOM' })
  t.equal((await refused()).status, 503)
  await fleet.redis.config('SET', 'maxmemory', '0')
  await ends(t, server, 'redis-refuses-writes')
  t.notMatch(
    JSON.stringify(linesOf(server, 'redis-away')),
    /OOM/,
    'which is another condition than being away',
  )
})

t.test('PostgreSQL is away, and orders wait for it', { buffered: true }, async (t) => {
  const fleet = await useFleet(t)
  const way = await useCuttableProxy(t, fleet.postgresUrl)
  const server = await fleet.start({ ...told, DATABASE_URL: way.url })
  const saleId = await server.sale(freeSlots(1))
  const buyer = await server.guest()
  const held = await buyer.hold(saleId, await buyer.letIn(saleId), { best: { count: 1 } })
  way.cut()
  const saving = await buyer.orderAtOnce(textAt(held.body, 'hold.id'))
  t.equal(at(saving.body, 'order.status'), 'saving')
  await Promise.all([begins(t, server, 'postgresql-away'), begins(t, server, 'orders-saving')])
  t.same(complaintsOf(server), [], 'nobody else complains')
  way.open()
  await Promise.all([ends(t, server, 'postgresql-away'), ends(t, server, 'orders-saving')])
  await buyer.became(textAt(saving.body, 'order.id'), 'booked')
})

t.test(
  'a writer falls silent, another takes over, and the first one wakes',
  { buffered: true },
  async (t) => {
    const fleet = await useFleet(t)
    const sleeper = await fleet.start(told)
    await sleeper.sale(freeSlots(1))
    await until('the sale has a writer', async () => {
      const rows = await fleet.sql`select 1 from sale_writers where lease_until > clock_timestamp()`
      return rows.length === 1
    })
    const watcher = await fleet.start({ ...told, OPENRUN_ROLES: 'edge' })
    sleeper.process.signal('SIGSTOP')
    // For as long as there is no heir.
    await begins(t, watcher, 'sale-without-writer')
    const heir = await fleet.start(told)
    await begins(t, heir, 'took-over')
    sleeper.process.signal('SIGCONT')
    await begins(t, sleeper, 'fell-silent')
    await ends(t, watcher, 'sale-without-writer')
    await heir.process.kill()
    await begins(t, sleeper, 'took-over')
  },
)

t.test('payments have no outcome, and the outbox stands still', { buffered: true }, async (t) => {
  const fleet = await useFleet(t)
  const server = await fleet.start(told)
  const saleId = await server.sale()
  const buyer = await server.guest()
  const relayedBy = (owner: string, seconds: number) =>
    fleet.sql`
      update outbox_positions set lease_owner = ${owner},
        lease_until = clock_timestamp() + ${seconds} * interval '1 second'`
  await until('nobody relays', async () => (await relayedBy('somebody else', 600)).count === 1)
  await holdPayments(fleet)
  const orderId = await buyer.buy(saleId, ['A-01-02'], 'sandbox_never')
  await Promise.all([begins(t, server, 'payments-late'), begins(t, server, 'outbox-late')])
  t.match(linesOf(server, 'payments-late')[0], { err: { message: /no answer within 5000 ms/ } })
  await fleet.sql`update payments set next_at = now()`
  await relayedBy('somebody else', 0)
  await Promise.all([ends(t, server, 'payments-late'), ends(t, server, 'outbox-late')])
  await buyer.became(orderId, 'booked')
})

/** Nobody but whoever asks the provider is late with a payment, and it is not asked again until told so. */
async function holdPayments({ sql }: Fleet): Promise<void> {
  await sql`
    create function hold_payment() returns trigger language plpgsql as
    $$ begin
      if new.state = 'calling' then new.updated_at = now() + interval '1 hour'; end if;
      if new.state = 'unknown' then new.next_at = now() + interval '1 hour'; end if;
      return new;
    end $$`
  await sql`
    create trigger holds before update on payments for each row
    when (new.state <> old.state) execute function hold_payment()`
}

t.test('a client does not read, a clock is off, and the process stops', { buffered: true }, async (t) => {
  const fleet = await useFleet(t)
  // Behind by an hour, as long as there is this file.
  const odd = join(t.testdir({ odd: '' }), 'odd')
  const oddClock = `
    import { existsSync } from 'node:fs'
    const now = Date.now
    Date.now = () => now() - (existsSync(${JSON.stringify(odd)}) ? 3_600_000 : 0)`
  const server = await fleet.start({
    ...told,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(oddClock)}`,
    OPENRUN_STREAM_BUFFER_BYTES: '4096',
  })
  await begins(t, server, 'clock-off')
  rmSync(odd)
  await ends(t, server, 'clock-off')

  const sections = ['A', 'B', 'C', 'D'].map((code) => ({ code, rows: 50, seatsPerRow: 100, priceClass: 'R' }))
  const saleId = await server.sale({ hall: { priceClasses: [{ name: 'R', priceMinor: 0 }], sections } })
  const map = () => server.callFreely('GET', `${api}/sales/${saleId}/availability`)
  await until('the sale has a map', async () => (await map()).status === 200)
  const stuck = Array.from({ length: 5 }, () => {
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined)
    t.teardown(() => socket.destroy())
    socket.pause()
    socket.write(`GET ${api}/sales/${saleId}/availability/stream HTTP/1.1\r\nHost: x\r\n\r\n`)
    return socket
  })
  await until('they are told', () =>
    figure(server, /openrun_event_streams (\d+)/).then((n) => n === stuck.length),
  )
  const tellMore = await tellerOf(fleet, server, saleId)
  const closed = () => figure(server, /slow_clients_closed_total\{transport="sse"\} (\d+)/)
  await until('all are closed', async () => (await tellMore(), await closed()) === stuck.length)
  await begins(t, server, 'slow-clients')
  t.equal(linesOf(server, 'slow-clients').length, 1, 'one line for all of them')

  server.process.signal('SIGTERM')
  t.equal((await server.process.ended).code, 0)
  t.match(linesOf(server, 'stopping'), [{ msg: /^The process was told to stop/ }])
})

/** Tells of a change of all seats, as often as it is called. */
async function tellerOf({ redis }: Fleet, server: Server, saleId: string): Promise<() => Promise<void>> {
  const { body } = await server.call('GET', `${api}/sales/${saleId}/availability`)
  const { epoch, seq: first } = availabilitySnapshot.parse(body)
  let seq = first
  return async () => {
    const changes = Array.from({ length: 20_000 }, (_, seat) => [seat, 1, seq % 2])
    const delta = { epoch, prev: seq, seq: ++seq, changes }
    await redis.publish(saleChannels.units(saleId), JSON.stringify(delta))
  }
}
