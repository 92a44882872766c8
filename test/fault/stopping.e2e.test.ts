import t, { type Test } from 'tap'
import { freeSlots } from '../support/calls.ts'
import { textAt } from '../support/contract.ts'
import { useFleet, type Fleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

async function msByPostgres({ sql }: Fleet): Promise<number> {
  const [row] = await sql<{ now: Date }[]>`select clock_timestamp() as now`
  return row?.now.getTime() ?? Number.NaN
}

/** When no process of ours had a connection to PostgreSQL any more, by its own time: ours is late where the machine is busy. */
async function allGone({ sql }: Fleet): Promise<number> {
  await sql`
    create function wait_for_end() returns timestamptz language plpgsql as
    $$ begin
      loop
        perform pg_stat_clear_snapshot();
        if not exists (select from pg_stat_activity
          where datname = current_database() and application_name like 'openrun %')
        then return clock_timestamp();
        end if;
        perform pg_sleep(0.01);
      end loop;
    end $$`
  const [row] = await sql<{ ended: Date }[]>`select wait_for_end() as ended`
  return row?.ended.getTime() ?? Number.NaN
}

/** After two seconds a caller is told that the order is being saved, and a server that stops cuts it off soon after. */
const answersWithinMs = 1500
/** A server ends then in any case, whatever it has not let go of. */
const goneWithinMs = 4500
/** A machine that is busy with other things may be late. */
const attemptsMax = 5

t.test(
  'SIGTERM: what is under way is answered, streams are told when to come back, all ends with 0, within five seconds',
  async (t) => {
    let isDone = false
    for (let attempt = 0; !isDone && attempt < attemptsMax; attempt++) isDone = await stopAmidOrder(t)
    t.ok(isDone, 'in time')
  },
)

/** Resolves with whether all was in time; only then it is held against what is promised. */
async function stopAmidOrder(t: Test): Promise<boolean> {
  const fleet = await useFleet(t)
  const server = await fleet.start({ OPENRUN_LOG_LEVEL: 'warn' })
  const saleId = await server.sale(freeSlots(1))
  const [buyer, waiting] = await server.guests(2)
  if (!buyer || !waiting) throw new Error('no guests')
  const token = await buyer.letIn(saleId)
  const held = await buyer.hold(saleId, token, { best: { count: 1 } })
  const stream = await waiting.stream(saleId)
  await stream.events.next('absent')
  const socket = await waiting.ws()
  await socket.subscribe(`queue:${saleId}`)

  // An order that cannot be written while this transaction lasts.
  const blocked = await fleet.sql.reserve()
  await blocked`begin`
  // However long the machine takes.
  await blocked`set local idle_in_transaction_session_timeout = 0`
  await blocked`lock table orders in exclusive mode`
  const orderedAtMs = await msByPostgres(fleet)
  const underWay = Promise.allSettled([buyer.order(textAt(held.body, 'hold.id'))])
  await until('the order waits', async () => {
    const rows = await fleet.sql`
      select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'openrun %'`
    return rows.length > 0
  })
  const toldAtMs = await msByPostgres(fleet)
  const gone = allGone(fleet)
  server.process.signal('SIGTERM')
  const closed = await socket.closed
  await blocked`commit`
  blocked.release()

  const [ordered] = await underWay
  const answeredMs = (await msByPostgres(fleet)) - orderedAtMs
  await stream.ended
  const ending = await server.process.ended
  const goneMs = (await gone) - toldAtMs
  t.comment(`answered after ${answeredMs} ms, gone after ${goneMs} ms`)
  if (answeredMs > answersWithinMs || goneMs > goneWithinMs) return false
  t.match(ordered, { status: 'fulfilled', value: { body: { order: { status: 'booked' } } } })
  t.same(closed, { code: 4000, reason: 'draining' })
  t.match(stream.text(), /retry: \d+\n\n$/)
  t.match(ending, { code: 0, signal: null, stderr: '' })
  t.notMatch(server.process.lines.join('\n'), /let go of in time/)
  return true
}

t.test('Ctrl-C twice does not hurt, and the next process goes on where this one was', async (t) => {
  const fleet = await useFleet(t)
  const first = await fleet.start()
  const saleId = await first.sale({ ...freeSlots(1), queue: { maxActive: 1 } })
  const [inside, waiting] = await first.guests(2)
  if (!inside || !waiting) throw new Error('no guests')
  const token = await inside.letIn(saleId)
  await waiting.join(saleId)
  first.process.signal('SIGINT')
  first.process.signal('SIGINT')
  t.match(await first.process.ended, { code: 0 })
  const second = await fleet.start()
  t.equal((await waiting.at(second).join(saleId)).body['position'], 1)
  t.equal((await inside.at(second).book(saleId, token, { best: { count: 1 } })).status, 201)
})
