import t from 'tap'
import { Problem } from '../../errors.ts'
import {
  mayMove,
  moveSale,
  saleAt,
  saleStatuses,
  statesLeadingTo,
  type Sale,
  type SaleStatus,
} from './sale.ts'

const opensAtMs = Date.UTC(2026, 0, 1)
const closesAtMs = Date.UTC(2026, 0, 2)

function saleThatIs(status: SaleStatus): Sale {
  return {
    id: 'sal_00000000000000000001',
    organiserId: 'org_00000000000000000001',
    kind: 'slots',
    title: 'A sale',
    status,
    admits: 'guests',
    opensAtMs,
    closesAtMs,
    queue: {
      mode: 'fifo',
      ratePerMinute: 60,
      maxActive: 10,
      tokenTtlSeconds: 300,
      holdTtlSeconds: 180,
      maxPerAccount: 4,
      graceSeconds: 90,
    },
    singleSeats: 'allowed',
    notice: null,
    storeId: null,
    onePerUnit: false,
    payBySeconds: 300,
    currency: 'KRW',
    unitCount: 1,
    placeCount: 1,
    version: 1,
    createdAtMs: opensAtMs,
  }
}

t.test('opens at its opening and not a millisecond before', async (t) => {
  t.equal(saleAt(saleThatIs('scheduled'), opensAtMs - 1).status, 'scheduled')
  t.equal(saleAt(saleThatIs('scheduled'), opensAtMs).status, 'open')
})

t.test('closes at its closing, whatever it was then, except a draft', async (t) => {
  for (const status of ['scheduled', 'open', 'paused', 'soldout', 'closed'] as const) {
    t.equal(saleAt(saleThatIs(status), closesAtMs).status, 'closed', status)
  }
  t.equal(saleAt(saleThatIs('open'), closesAtMs - 1).status, 'open')
  t.equal(saleAt(saleThatIs('draft'), closesAtMs).status, 'draft')
})

t.test('does not open a sale that was paused, or is sold out, by time', async (t) => {
  for (const status of ['paused', 'soldout'] as const) {
    t.equal(saleAt(saleThatIs(status), opensAtMs).status, status)
  }
})

t.test('lets nothing out of closed', async (t) => {
  for (const to of saleStatuses) {
    for (const by of ['organiser', 'time', 'stock'] as const)
      t.notOk(mayMove('closed', to, by), `${to} by ${by}`)
  }
})

t.test('lets only the stock decide what is sold out, and only time open what is scheduled', async (t) => {
  t.strictSame(statesLeadingTo('soldout', 'stock'), ['open'])
  t.strictSame(statesLeadingTo('soldout', 'organiser'), [])
  t.strictSame(statesLeadingTo('soldout', 'time'), [])
  t.strictSame(statesLeadingTo('open', 'time'), ['scheduled'])
  t.strictSame(statesLeadingTo('open', 'organiser'), ['paused'])
})

t.test('refuses a move that is not allowed and names the present state', async (t) => {
  const error = t.throws(() => moveSale(saleThatIs('scheduled'), 'paused', 'organiser'))
  t.ok(error instanceof Problem)
  t.match(error, {
    code: 'sale_change_not_allowed',
    options: { extra: { saleStatus: 'scheduled' } },
  })
  t.equal(moveSale(saleThatIs('paused'), 'paused', 'organiser').status, 'paused')
  t.equal(moveSale(saleThatIs('open'), 'paused', 'organiser').status, 'paused')
})
