import { pino } from 'pino'
import { Registry } from 'prom-client'
import t from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { Conditions } from './conditions.ts'

function conditionsWithLog() {
  const clock = new FakeClock()
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const registry = new Registry()
  const conditions = new Conditions({ log: pino({ level: 'info' }, { write }), clock, registry })
  const begun = async () => {
    const metric = await registry.getSingleMetric('openrun_conditions_begun_total')?.get()
    return metric?.values.find(({ labels }) => labels['name'] === 'outbox-late')?.value
  }
  return { clock, conditions, lines, begun }
}

t.test(
  'however often it is seen, and however it flickers, a condition is one line, and one at its end',
  async (t) => {
    const { clock, conditions, lines, begun } = conditionsWithLog()
    for (let times = 0; times < 50; times++) {
      conditions.seen('outbox-late', { detail: { outboxMs: 6_000 + times } })
      await clock.advance(2_000)
      conditions.look()
    }
    t.equal(lines.length, 1)
    t.match(lines[0], { level: 40, condition: 'outbox-late', outboxMs: 6_000, msg: /pg_stat_activity/ })
    t.match(lines[0]?.['since'], /^\d{4}-/)
    await clock.advance(1_000)
    conditions.look()
    conditions.look()
    t.equal(lines.length, 2)
    t.match(lines[1], { condition: 'outbox-late', lastedSeconds: 101, msg: /^Over: / })
    t.equal(await begun(), 1)
    conditions.seen('outbox-late')
    t.equal(lines.length, 3, 'another one is told anew')
    t.equal(await begun(), 2)
  },
)

t.test('what is only a moment is told for as long as it is asked to be', async (t) => {
  const { clock, conditions } = conditionsWithLog()
  conditions.seen('slow-clients', { forMs: 30_000 })
  await clock.advance(29_000)
  conditions.look()
  t.match(conditions.holding, [{ name: 'slow-clients' }])
  conditions.seen('slow-clients')
  await clock.advance(1_000)
  conditions.look()
  t.equal(conditions.holding.length, 1, 'seen again, for a shorter time, it does not end sooner')
  await clock.advance(2_000)
  conditions.look()
  t.same(conditions.holding, [])
})
