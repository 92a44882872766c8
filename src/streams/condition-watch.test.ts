import { mock } from 'node:test'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { Subject } from 'rxjs'
import t, { type Test } from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import type { Sql } from '../db/postgres.ts'
import { ConditionWatch } from './condition-watch.ts'
import { Conditions } from './conditions.ts'

const whole = { silent: 0, unowned: 0, outboxMs: 0, paymentsLate: 0 }
const turnOfLoop = () => new Promise(setImmediate)

/** A process whose stores say what a test has them say. */
async function processOf(t: Test) {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const clock = new FakeClock()
  const conditions = new Conditions({ clock, log: pino({ level: 'silent' }), registry: new Registry() })
  const epochs$ = new Subject<{ sale: string; epoch: number }>()
  const says = {
    house: whole,
    postgresAheadMs: 0,
    redisAheadMs: 0,
    redisError: undefined as Error | undefined,
    poolError: undefined as Error | undefined,
    postgresError: undefined as Error | undefined,
    awayNodes: [] as string[],
    ordersSaving: 0,
  }
  const answering = (error: Error | undefined, rows: unknown[]) =>
    error === undefined ? Promise.resolve(rows) : Promise.reject(error)
  const sql = () =>
    answering(says.postgresError, [{ ...says.house, nowMs: clock.nowMs() + says.postgresAheadMs }])
  const commands = {
    time: () => {
      const ms = clock.nowMs() + says.redisAheadMs
      return answering(says.redisError, [Math.floor(ms / 1_000), (ms % 1_000) * 1_000])
    },
    set: () => answering(says.redisError, []),
  }
  const watch = new ConditionWatch({
    sql: sql as never as Sql,
    pool: (() => answering(says.poolError, [])) as never as Sql,
    redis: {
      get away() {
        return says.awayNodes
      },
      mustBeReady: () => Promise.resolve(),
      of: () => ({ runId: 'life', commands }),
    } as never,
    broker: { messages: () => epochs$ } as never,
    clock,
    conditions,
    ordersSaving: () => says.ordersSaving,
  })
  await watch.run()
  t.teardown(() => watch.stop())
  /** Looks as often as that, once a second; what was asked is heard with the next look. */
  const look = async (times = 2) => {
    for (let count = 0; count < times; count++) {
      await clock.advance(1_000)
      mock.timers.tick(1_000)
      await turnOfLoop()
    }
  }
  const held = () => conditions.holding.map(({ name }) => name)
  return { says, look, held, epochs$, clock }
}

t.test('where all is well there is nothing to say', async (t) => {
  const { look, held } = await processOf(t)
  await look(10)
  t.same(held(), [])
})

t.test('what PostgreSQL says of all processes', async (t) => {
  const late = { ...whole, outboxMs: 5_001, paymentsLate: 2, silent: 1 }
  const { says, look, held } = await processOf(t)
  says.house = { ...whole, outboxMs: 5_000 }
  await look()
  t.same(held(), [])
  says.house = late
  await look()
  t.same(held().toSorted(), ['outbox-late', 'payments-late', 'sale-without-writer'])
  says.house = whole
  await look(5)
  t.same(held(), [])
})

t.test('a sale that nobody owns is new at first', async (t) => {
  const { says, look, held } = await processOf(t)
  says.house = { ...whole, unowned: 1 }
  await look(2)
  t.same(held(), [])
  says.house = whole
  await look(1)
  says.house = { ...whole, unowned: 1 }
  await look(2)
  t.same(held(), [], 'it was somebody’s in between')
  await look(2)
  t.same(held(), ['sale-without-writer'])
})

t.test('PostgreSQL is away where it fails, and where requests get no connection', async (t) => {
  const { says, look, held } = await processOf(t)
  says.poolError = new Error('sorry, too many clients already')
  await look()
  t.same(held(), ['postgresql-away'])
  says.poolError = undefined
  await look(5)
  t.same(held(), [])
  says.postgresError = new Error('gone')
  await look()
  t.same(held(), ['postgresql-away'])
})

t.test('Redis is away, or refuses to write, by what it answers', async (t) => {
  for (const [message, name] of [
    ['Connection is closed.', 'redis-away'],
    ['OOM command not allowed', 'redis-refuses-writes'],
    ['READONLY You cannot write against a read only replica.', 'redis-refuses-writes'],
    ['MISCONF no disk', 'redis-refuses-writes'],
    ['NOREPLICAS not enough', 'redis-refuses-writes'],
  ] as const) {
    await t.test(message, async (t) => {
      const { says, look, held } = await processOf(t)
      says.redisError = new Error(message)
      await look()
      t.same(held(), [name])
    })
  }
})

t.test('a node is away that was away before', async (t) => {
  const { says, look, held } = await processOf(t)
  says.awayNodes = ['a:1']
  await look(1)
  says.awayNodes = ['b:1']
  await look(1)
  t.same(held(), [])
  await look(1)
  t.same(held(), ['redis-node-away'])
})

t.test('a clock is off by more than a second, against either store, in either direction', async (t) => {
  for (const off of [{ postgresAheadMs: 1_500 }, { redisAheadMs: -1_500 }]) {
    const { says, look, held } = await processOf(t)
    Object.assign(says, { postgresAheadMs: 900, redisAheadMs: -900 })
    await look()
    t.same(held(), [])
    Object.assign(says, off)
    await look()
    t.same(held(), ['clock-off'])
    mock.timers.reset()
  }
})

t.test('lines are restored after a loss, and orders wait', async (t) => {
  const { says, look, held, epochs$ } = await processOf(t)
  epochs$.next({ sale: 'sal_a', epoch: 1 })
  t.same(held(), [], 'the first epoch follows no loss')
  epochs$.next({ sale: 'sal_a', epoch: 2 })
  says.ordersSaving = 1
  await look(1)
  t.same(held().toSorted(), ['lines-restoring', 'orders-saving'])
})
