import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { saleChannels } from '../../src/domain/sale-state/sale-keys.ts'
import { availabilitySnapshot } from '../../src/domain/units/unit-messages.ts'
import { conditionTexts, type ConditionName } from '../../src/streams/conditions.ts'
import { freeSlots } from '../support/calls.ts'
import { api, at, textAt } from '../support/contract.ts'
import { useCuttableProxy } from '../support/cuttable-proxy.ts'
import { useFleet } from '../support/fleet.ts'
import type { Server } from '../support/server-process.ts'
import { until } from '../support/until.ts'

t.setTimeout(120_000)
t.jobs = 2

const told = { OPENRUN_LOG_LEVEL: 'info' }
const parallel = { buffered: true }
const patience = { withinMs: 30_000 }

interface Line {
  readonly condition?: string
  readonly err?: { readonly message: string }
  readonly msg: string
}

/** The lines of a process's log about a condition. */
function linesOf({ process }: Server, name: ConditionName): Line[] {
  const lines = process.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line)
  return lines.filter(({ condition }) => condition === name)
}

/** What it has warned of beside its conditions. */
function complaintsOf({ process }: Server): string[] {
  const lines = process.lines
    .filter((line) => /"level":[456]0/.test(line))
    .map((line) => JSON.parse(line) as Line)
  return lines.filter(({ condition }) => condition === undefined).map(({ msg }) => msg)
}

async function figure(server: Server, pattern: RegExp): Promise<number> {
  const { bytes } = await server.callFreely('GET', '/metrics')
  return Number(pattern.exec(bytes.toString())?.[1])
}

async function isTold(server: Server, name: ConditionName): Promise<boolean> {
  const { status, body } = await server.call('GET', '/readyz')
  const { conditions } = body as { conditions: { name: string }[] }
  const held = conditions.some((condition) => condition.name === name)
  if (held !== (status === 200 && body['status'] === 'degraded' && held))
    throw new Error(`${name} is told as ${status} ${JSON.stringify(body)}`)
  return held
}

/** Resolves when the condition stands in /readyz and in the figures, and one line says what to do. */
async function begins(t: Test, server: Server, name: ConditionName): Promise<void> {
  await until(`${name} begins`, () => isTold(server, name), patience)
  t.equal(await figure(server, new RegExp(`openrun_condition\\{name="${name}"\\} (\\d)`)), 1)
  const lines = linesOf(server, name)
  t.equal(lines.length, 1, `${name} is one line`)
  t.match(lines[0]?.msg, conditionTexts[name].advice)
}

/** Resolves when it is told no more; one more line has said so. */
async function ends(t: Test, server: Server, name: ConditionName): Promise<void> {
  await until(`${name} ends`, async () => !(await isTold(server, name)), patience)
  t.equal(await figure(server, new RegExp(`openrun_condition\\{name="${name}"\\} (\\d)`)), 0)
  const lines = linesOf(server, name)
  t.equal(lines.length, 2, `${name} is one line, and one for its end`)
  t.match(lines[1]?.msg, /^Over: /)
}

t.test('Redis is away, has forgotten, and refuses to write', parallel, async (t) => {
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
  await begins(t, server, 'lines-restoring')
  await ends(t, server, 'redis-away')
  await ends(t, server, 'lines-restoring')
  await until('the line is there', async () => (await waiting?.join(saleId))?.body['position'] === 1)

  await fleet.redis.config('SET', 'maxmemory', '1')
  await begins(t, server, 'redis-refuses-writes')
  t.match(linesOf(server, 'redis-refuses-writes'), [{ reason: 'OOM' }])
  t.equal((await refused()).status, 503)
  await fleet.redis.config('SET', 'maxmemory', '0')
  await ends(t, server, 'redis-refuses-writes')
  t.equal(linesOf(server, 'redis-away').length, 2, 'which is another condition than being away')
})

t.test('PostgreSQL is away, and orders wait for it', parallel, async (t) => {
  const fleet = await useFleet(t)
  const way = await useCuttableProxy(t, fleet.postgresUrl)
  const server = await fleet.start({ ...told, DATABASE_URL: way.url })
  const saleId = await server.sale(freeSlots(1))
  const buyer = await server.guest()
  const held = await buyer.hold(saleId, await buyer.letIn(saleId), { best: { count: 1 } })
  way.cut()
  const saving = await buyer.order(textAt(held.body, 'hold.id'))
  t.equal(at(saving.body, 'order.status'), 'saving')
  await Promise.all([begins(t, server, 'postgresql-away'), begins(t, server, 'orders-saving')])
  t.same(complaintsOf(server), [], 'nobody else complains')
  way.open()
  await Promise.all([ends(t, server, 'postgresql-away'), ends(t, server, 'orders-saving')])
  await buyer.became(textAt(saving.body, 'order.id'), 'booked')
})

t.test('a writer falls silent, another takes over, and the first one wakes', parallel, async (t) => {
  const fleet = await useFleet(t)
  const sleeper = await fleet.start(told)
  await sleeper.sale(freeSlots(1))
  await until('the sale has a writer', async () => {
    const rows = await fleet.sql`select 1 from sale_writers where lease_until > clock_timestamp()`
    return rows.length === 1
  })
  const watcher = await fleet.start({ ...told, OPENRUN_ROLES: 'edge' })
  const heir = await fleet.start(told)
  sleeper.process.signal('SIGSTOP')
  await begins(t, watcher, 'sale-without-writer')
  await begins(t, heir, 'took-over')
  sleeper.process.signal('SIGCONT')
  await begins(t, sleeper, 'fell-silent')
  await ends(t, watcher, 'sale-without-writer')
  await heir.process.kill()
  await begins(t, sleeper, 'took-over')
})

t.test('payments have no outcome, and the outbox stands still', parallel, async (t) => {
  const fleet = await useFleet(t)
  const server = await fleet.start(told)
  const saleId = await server.sale()
  const buyer = await server.guest()
  const relayedBy = (owner: string, seconds: number) =>
    fleet.sql`
      update outbox_positions set lease_owner = ${owner},
        lease_until = clock_timestamp() + ${seconds} * interval '1 second'`
  await until('nobody relays', async () => (await relayedBy('somebody else', 600)).count === 1)
  const orderId = await buyer.buy(saleId, ['A-01-02'], 'sandbox_never')
  await Promise.all([begins(t, server, 'payments-late'), begins(t, server, 'outbox-late')])
  t.match(linesOf(server, 'payments-late'), [{ err: { message: /no answer within 5000 ms/ } }])
  await relayedBy('somebody else', 0)
  await Promise.all([ends(t, server, 'payments-late'), ends(t, server, 'outbox-late')])
  await buyer.became(orderId, 'booked')
})

t.test('a client does not read, a clock is off, and the process stops', parallel, async (t) => {
  const fleet = await useFleet(t)
  // Behind by an hour, until it has run for some seconds.
  const oddClock = 'const now=Date.now;Date.now=()=>now()-(process.uptime()<12?3600000:0)'
  const server = await fleet.start({
    ...told,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(oddClock)}`,
    OPENRUN_STREAM_BUFFER_BYTES: '4096',
  })
  await begins(t, server, 'clock-off')
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
  await until('all are closed', async () => (await tellMore(), await closed()) === stuck.length, patience)
  await begins(t, server, 'slow-clients')
  t.equal(linesOf(server, 'slow-clients').length, 1, 'one line for all of them')

  server.process.signal('SIGTERM')
  t.equal((await server.process.ended).code, 0)
  t.match(linesOf(server, 'stopping'), [{ msg: /^The process was told to stop/ }])
})

/** Tells of a change of all seats, as often as it is called. */
async function tellerOf(
  { redis }: Awaited<ReturnType<typeof useFleet>>,
  server: Server,
  saleId: string,
): Promise<() => Promise<void>> {
  const { body } = await server.call('GET', `${api}/sales/${saleId}/availability`)
  const { epoch, seq: first } = availabilitySnapshot.parse(body)
  let seq = first
  return async () => {
    const changes = Array.from({ length: 20_000 }, (_, seat) => [seat, 1, seq % 2])
    const delta = { epoch, prev: seq, seq: ++seq, changes }
    await redis.publish(saleChannels.units(saleId), JSON.stringify(delta))
  }
}
