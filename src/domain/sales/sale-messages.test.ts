import t from 'tap'
import { newSale, saleChanges, saleQuery } from './sale-messages.ts'

const slots = { dates: ['2026-12-01'], hours: ['10:00'], capacity: 10, priceMinor: 0 }
const least = {
  kind: 'slots',
  title: '  Pop-up  ',
  currency: 'KRW',
  opensAt: '2026-11-21T10:00:00+09:00',
  closesAt: '2026-12-21T10:00:00Z',
  slots,
}

t.test('fills in what an organiser leaves out', async (t) => {
  t.match(newSale.parse(least), {
    title: 'Pop-up',
    admits: 'guests',
    queue: {
      mode: 'fifo',
      ratePerMinute: 600,
      maxActive: 200,
      tokenTtlSeconds: 300,
      holdTtlSeconds: 180,
      maxPerAccount: 4,
    },
  })
  t.equal(newSale.parse({ ...least, queue: { maxActive: 5 } }).queue.maxActive, 5)
})

t.test('names the field that is missing, huge, of another type or unknown', async (t) => {
  const fieldOf = (changes: object) =>
    newSale.safeParse({ ...least, ...changes }).error?.issues[0]?.path.join('.')
  t.equal(fieldOf({ kind: 'lottery' }), 'kind')
  for (const title of [undefined, '', '   ', 'x'.repeat(201), 5, 'a\u0000b', '\udc00'])
    t.equal(fieldOf({ title }), 'title')
  for (const currency of ['krw', 'XXQ', '', 5]) t.equal(fieldOf({ currency }), 'currency')
  for (const opensAt of [
    '2026-11-21',
    '2026-11-21T10:00:00',
    '2026-02-30T10:00:00Z',
    '0000-01-01T00:00:00Z',
    5,
  ]) {
    t.equal(fieldOf({ opensAt }), 'opensAt', String(opensAt))
  }
  t.equal(fieldOf({ closesAt: '2026-11-21T01:00:00Z' }), 'closesAt')
  t.equal(fieldOf({ queue: { mode: 'raffle' } }), 'queue.mode')
  t.equal(fieldOf({ queue: { ratePerMinute: 0 } }), 'queue.ratePerMinute')
  t.equal(fieldOf({ queue: { maxActive: 1_000_001 } }), 'queue.maxActive')
  t.equal(fieldOf({ queue: { maxPerAccount: 51 } }), 'queue.maxPerAccount')
  t.equal(fieldOf({ queue: { graceSeconds: 0 } }), 'queue.graceSeconds')
  t.equal(fieldOf({ queue: { tokenTtlSeconds: '300' } }), 'queue.tokenTtlSeconds')
  t.equal(fieldOf({ payBySeconds: 0 }), 'payBySeconds')
  t.equal(fieldOf({ extra: true }), '')
  t.equal(fieldOf({ slots: { ...slots, capacity: 0 } }), 'slots.capacity')
  t.equal(fieldOf({ kind: 'seats' }), 'hall')
})

t.test('lets a change name only what may be changed', async (t) => {
  const allowed = [
    { title: 'New' },
    { status: 'paused' },
    { queue: { ratePerMinute: 10 } },
    { opensAt: '2026-11-21T10:00:00Z' },
  ]
  for (const changes of allowed) t.ok(saleChanges.safeParse(changes).success, JSON.stringify(changes))
  const refused = [
    {},
    [],
    null,
    { status: 'soldout' },
    { status: 'draft' },
    { currency: 'USD' },
    { queue: { maxPerAccount: 3 } },
    { opensAt: '2026-11-21T10:00:00Z', closesAt: '2026-11-21T10:00:00Z' },
  ]
  for (const changes of refused) t.notOk(saleChanges.safeParse(changes).success, JSON.stringify(changes))
})

t.test('reads the query of a list and never shows drafts', async (t) => {
  t.strictSame(saleQuery.parse({ limit: '5', kind: 'seats' }), { limit: 5, kind: 'seats' })
  for (const query of [{ status: 'draft' }, { limit: '0' }, { limit: '101' }, { limit: 'many' }, { q: '' }]) {
    t.notOk(saleQuery.safeParse(query).success, JSON.stringify(query))
  }
})
