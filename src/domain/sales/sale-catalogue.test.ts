import t from 'tap'
import { Problem } from '../../errors.ts'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { SaleCatalogue, type SaleSource } from './sale-catalogue.ts'
import { buildSlots } from './slots.ts'
import type { Sale } from './sale.ts'
import { makeUnitTable } from './unit-table.ts'

const saleId = 'sal_00000000000000000001'
const otherId = 'sal_00000000000000000002'

function saleOfVersion(version: number, id = saleId): Sale {
  return {
    id,
    organiserId: 'org_00000000000000000001',
    kind: 'slots',
    title: `Version ${version}`,
    status: 'open',
    admits: 'guests',
    opensAtMs: 0,
    closesAtMs: 1,
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
    placeCount: 10,
    version,
    createdAtMs: 0,
  }
}

/** A store whose answers the test gives by hand, and a clock that the test moves. */
function setUp() {
  const clock = new FakeClock()
  const { units, layout } = buildSlots({
    dates: ['2026-12-01'],
    hours: ['10:00'],
    capacity: 10,
    priceMinor: 0,
  })
  const counts = { sale: 0, layout: 0, units: 0 }
  let answer: (id: string) => Promise<Sale | undefined> = async (id) => saleOfVersion(1, id)
  const source: SaleSource = {
    sale: (id) => {
      counts.sale += 1
      return answer(id)
    },
    layout: async () => {
      counts.layout += 1
      return layout
    },
    units: async () => {
      counts.units += 1
      return makeUnitTable(units, layout)
    },
  }
  return {
    catalogue: new SaleCatalogue({ source, clock }),
    counts,
    pass: (ms: number) => clock.advance(ms),
    answerWith: (next: typeof answer) => (answer = next),
  }
}

function answerByHand(): { promise: Promise<Sale>; resolve: (sale: Sale) => void } {
  let resolve: (sale: Sale) => void = () => {}
  const promise = new Promise<Sale>((given) => (resolve = given))
  return { promise, resolve }
}

function allCalls(catalogue: SaleCatalogue): (() => Promise<unknown>)[] {
  return [() => catalogue.sale(saleId), () => catalogue.units(saleId), () => catalogue.layout(saleId)]
}

t.test('reads a sale once for a burst of 10,000 requests and once a second after that', async (t) => {
  const { catalogue, counts, pass } = setUp()
  const burst = () => Promise.all(Array.from({ length: 10_000 }, () => catalogue.sale(saleId)))
  await burst()
  t.equal(counts.sale, 1)
  await pass(999)
  await burst()
  t.equal(counts.sale, 1)
  await pass(1)
  await burst()
  t.equal(counts.sale, 2)
})

t.test('gives the changed sale to whoever asks after the announcement', async (t) => {
  const { catalogue, answerWith } = setUp()
  await catalogue.sale(saleId)
  answerWith(async () => saleOfVersion(2))
  catalogue.forget(saleId)
  t.equal((await catalogue.sale(saleId)).version, 2)
})

t.test('does not take a reading that a change overtook for the newest', async (t) => {
  const { catalogue, answerWith, counts } = setUp()
  await catalogue.sale(saleId)
  catalogue.forget(saleId)
  const old = answerByHand()
  answerWith(() => old.promise)
  const early = catalogue.sale(saleId)
  catalogue.forget(saleId)
  answerWith(async () => saleOfVersion(3))
  t.equal((await catalogue.sale(saleId)).version, 3)
  old.resolve(saleOfVersion(2))
  t.equal((await early).version, 2, 'asked before the change')
  t.equal((await catalogue.sale(saleId)).version, 3)
  t.equal(counts.sale, 3)
})

t.test('reads again when a change overtook a reading that then ended first', async (t) => {
  const { catalogue, answerWith } = setUp()
  const old = answerByHand()
  answerWith(() => old.promise)
  const early = catalogue.sale(saleId)
  catalogue.forget(saleId)
  old.resolve(saleOfVersion(1))
  t.equal((await early).version, 1)
  answerWith(async () => saleOfVersion(2))
  t.equal((await catalogue.sale(saleId)).version, 2)
})

t.test('gives what it knows for a minute while the store is away, then says so', async (t) => {
  const { catalogue, answerWith, pass, counts } = setUp()
  await catalogue.sale(saleId)
  answerWith(async () => {
    throw new Error('connection refused')
  })
  await pass(30_000)
  t.equal((await catalogue.sale(saleId)).version, 1)
  await catalogue.sale(saleId)
  t.equal(counts.sale, 2, 'asked once a second at most')
  await pass(30_001)
  await t.rejects(catalogue.sale(saleId), { code: 'unavailable' })
  answerWith(async () => saleOfVersion(2))
  t.equal((await catalogue.sale(saleId)).version, 2)
})

t.test(
  'gives what it knows when the store does not answer in time, and takes the answer when it comes',
  async (t) => {
    const { catalogue, answerWith, pass } = setUp()
    await catalogue.sale(saleId)
    const late = answerByHand()
    answerWith(() => late.promise)
    await pass(1_000)
    const asked = catalogue.sale(saleId)
    await pass(250)
    t.equal((await asked).version, 1)
    late.resolve(saleOfVersion(2))
    await late.promise
    t.equal((await catalogue.sale(saleId)).version, 2)
  },
)

t.test('says that the store is away when it never knew the sale', async (t) => {
  const { catalogue, answerWith } = setUp()
  answerWith(async () => {
    throw new Error('connection refused')
  })
  for (const call of allCalls(catalogue)) {
    await t.rejects(call(), { code: 'unavailable', options: { retryAfterSeconds: 1 } })
  }
})

t.test('asks for a sale that is not there once a second, and never for what cannot be an id', async (t) => {
  const { catalogue, answerWith, counts } = setUp()
  answerWith(async () => undefined)
  for (const call of allCalls(catalogue)) {
    const error = await call().catch((cause: unknown) => cause)
    t.ok(error instanceof Problem && error.code === 'no_such_sale')
  }
  t.equal(counts.sale, 1)
  for (const id of ['', 'sal_', 'sal_\u0000', '__proto__', 'x'.repeat(100_000)]) {
    await t.rejects(catalogue.sale(id), { code: 'no_such_sale' })
  }
  t.equal(counts.sale, 1)
  catalogue.forget(saleId)
  answerWith(async () => saleOfVersion(1))
  t.equal((await catalogue.sale(saleId)).version, 1, 'created and announced since')
})

t.test('does not let made-up ids drive out the sales it knows', async (t) => {
  const { catalogue, answerWith, counts } = setUp()
  await catalogue.sale(saleId)
  answerWith(async () => undefined)
  for (let made = 0; made < 5_000; made++) {
    await catalogue.sale(`sal_${String(made).padStart(20, 'x')}`).catch(() => {})
  }
  const { sale } = counts
  await catalogue.sale(saleId)
  t.equal(counts.sale, sale)
})

t.test('reads units and layout once, and keeps them when the sale changes', async (t) => {
  const { catalogue, counts } = setUp()
  const [table, same] = await Promise.all([
    catalogue.units(saleId),
    catalogue.units(saleId),
    catalogue.layout(saleId),
  ])
  t.equal(table, same)
  t.equal(table.unitNoOf('2026-12-01T10:00'), 0)
  catalogue.forget(saleId)
  await catalogue.units(saleId)
  const { etag, json } = await catalogue.layout(saleId)
  t.match(etag, /^"[\w-]{27}"$/)
  t.match(JSON.parse(json), { kind: 'slots' })
  t.equal((await catalogue.layout(otherId)).etag, etag, 'the same text has the same tag')
  t.match(counts, { layout: 2, units: 1 })
})
