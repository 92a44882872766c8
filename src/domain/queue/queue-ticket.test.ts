import { pino } from 'pino'
import t, { type Test } from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { MemoryKeyStore } from '../../../test/support/memory-key-store.ts'
import { randomIds } from '../../ids.ts'
import { SigningKeys } from '../accounts/signing-keys.ts'
import { QueueTickets } from './queue-ticket.ts'

const fields = {
  sale: 'sal_1',
  account: 'usr_1',
  sequence: 3 * 2 ** 32 + 17,
  epoch: 3,
  issuedAt: 1_790_000_000_123,
}

async function parts(t: Test) {
  const clock = new FakeClock()
  const log = pino({ level: 'silent' })
  const keys = new SigningKeys({ store: new MemoryKeyStore(), clock, ids: randomIds, log })
  await keys.run()
  t.teardown(() => keys.stop())
  return { keys, clock, tickets: new QueueTickets(keys) }
}

t.test('a ticket says what it was issued with', async (t) => {
  const { tickets } = await parts(t)
  t.same(tickets.read(tickets.issue(fields)), fields)
  t.ok(tickets.issue({ ...fields, sequence: Number.MAX_SAFE_INTEGER }).length < 256)
})

t.test('no byte of a ticket can be changed', async (t) => {
  const { tickets } = await parts(t)
  const text = tickets.issue(fields)
  for (let index = 0; index < text.length; index++) {
    const changed = `${text.slice(0, index)}${text[index] === 'A' ? 'B' : 'A'}${text.slice(index + 1)}`
    const read = tickets.read(changed)
    // The last character of base64 carries bits that mean nothing, so some texts are the same ticket.
    if (read !== undefined) t.same(Buffer.from(changed, 'base64url'), Buffer.from(text, 'base64url'))
    else t.pass()
  }
})

t.test('a ticket of another installation, a shapeless and a huge one are refused', async (t) => {
  const { tickets, keys } = await parts(t)
  const other = await parts(t)
  const access = keys.signer('access').kid
  const forged = (value: unknown) => `${Buffer.from(JSON.stringify(value)).toString('base64url')}.AAAA`
  const texts = [
    other.tickets.issue(fields),
    '',
    '.',
    'a.b.c',
    'a'.repeat(100_000),
    forged(null),
    forged({}),
    forged([access, 'sal_1', 'usr_1', 1, 1, 1]),
    forged(['key_00000000000000000000', 'sal_1', 'usr_1', 1, 1, 1]),
    forged(['__proto__', 'sal_1', 'usr_1', 1, 1, 1]),
    forged([keys.signer('queue').kid, 'sal_1', 'usr_1', '1', 1, 1]),
  ]
  for (const text of texts) t.equal(tickets.read(text), undefined)
})

t.test('a ticket survives the rotation of its key', async (t) => {
  const { tickets, keys, clock } = await parts(t)
  const old = tickets.issue(fields)
  await keys.rotate('queue')
  await clock.advance(10 * 60_000)
  const next = tickets.issue(fields)
  t.not(next, old, 'another key signs')
  t.same(tickets.read(old), fields)
  t.same(tickets.read(next), fields)
})
