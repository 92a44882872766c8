import t from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { checkProvider } from './provider-conformance.ts'
import { SandboxProvider } from './provider-sandbox.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 4, name: 'sandbox-test' })
t.teardown(() => sql.end())

t.test('the sandbox keeps what every provider must keep', async (t) => {
  const clock = new FakeClock()
  await checkProvider(t, {
    restarted: () => new SandboxProvider({ sql, clock }),
    methods: { approves: 'sandbox_approve', refuses: 'sandbox_refuse', neverAnswers: 'sandbox_never' },
  })
})

const late = { key: 'key_late', orderId: 'ord_late', amountMinor: 5, currency: 'KRW', method: 'sandbox_late' }

t.test('a late charge is captured when its time has come, not before', async (t) => {
  const clock = new FakeClock()
  const provider = new SandboxProvider({ sql, clock, lateMs: 3000 })
  const answer = provider.charge(late, new AbortController().signal)
  await clock.advance(2999)
  t.same(await provider.lookup(late), { outcome: 'none' })
  await clock.advance(1)
  t.match(await answer, { outcome: 'approved' })
})

t.test('a late charge is captured also when its caller has given up', async (t) => {
  const clock = new FakeClock()
  const provider = new SandboxProvider({ sql, clock, lateMs: 3000 })
  const caller = new AbortController()
  const answer = provider.charge({ ...late, key: 'key_gone' }, caller.signal)
  caller.abort()
  await t.rejects(answer)
  await clock.advance(3000)
  while ((await provider.lookup({ ...late, key: 'key_gone' })).outcome === 'none') await sql`select 1`
  t.match(await provider.lookup({ ...late, key: 'key_gone' }), { outcome: 'approved' })
})

t.test('a charge can be refused without a word', async (t) => {
  const provider = new SandboxProvider({ sql, clock: new FakeClock() })
  const silent = { ...late, key: 'key_silent', method: 'sandbox_refuse_never' }
  const caller = new AbortController()
  const answer = provider.charge(silent, caller.signal)
  while ((await provider.lookup(silent)).outcome === 'none') await sql`select 1`
  caller.abort()
  await t.rejects(answer)
  t.match(await provider.lookup(silent), { outcome: 'refused' })
})
