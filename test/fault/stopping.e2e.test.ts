import t from 'tap'
import { freeSlots } from '../support/calls.ts'
import { at, textAt } from '../support/contract.ts'
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

t.test(
  'SIGTERM: what is under way is answered, streams are told when to come back, all ends with 0',
  async (t) => {
    const fleet = await useFleet(t)
    const server = await fleet.start()
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
    const underWay = buyer.order(textAt(held.body, 'hold.id'))
    await until('the order waits', async () => {
      const rows = await fleet.sql`
      select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'openrun %'`
      return rows.length > 0
    })
    const told = await msByPostgres(fleet)
    const gone = allGone(fleet)
    server.process.signal('SIGTERM')
    t.same(await socket.closed, { code: 4000, reason: 'draining' })
    await blocked`commit`
    blocked.release()

    const ordered = await underWay
    t.equal(at(ordered.body, 'order.status'), 'booked')
    await stream.ended
    t.match(stream.text(), /retry: \d+\n\n$/)
    t.match(await server.process.ended, { code: 0, signal: null, stderr: '' })
    t.notMatch(server.process.lines.join('\n'), /let go of in time/)
    t.ok((await gone) - told < 5000, 'within five seconds')
  },
)

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
