import t from 'tap'
import { systemClock } from '../../clock.ts'
import { SaleCatalogue, saleSource } from '../../domain/sales/sale-catalogue.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { randomIds } from '../../ids.ts'
import { createLog } from '../../log.ts'
import { makeOrganiser, makeSale } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { unhurriedClock, unhurriedPostgres } from '../../../test/support/unhurried.ts'
import type { IdempotencyState, IdempotentRequest } from '../idempotency.ts'
import { createServer } from '../server.ts'
import { saleRoutes } from './sales.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 4, name: 'sale-routes' })
t.teardown(() => sql.end())

const organiserId = await makeOrganiser(sql)
const otherId = await makeOrganiser(sql)
const catalogue = new SaleCatalogue({ source: saleSource(sql), clock: unhurriedClock })

const answers = new Map<string, { status: number; body: unknown }>()
const nameOf = ({ callerId, key }: IdempotentRequest) => `${callerId} ${key}`
const server = createServer({
  routes: saleRoutes({ sql, catalogue, payBySecondsDefault: 300, announce: (id) => catalogue.forget(id) }),
  // Organisers are named by their ids here, and everybody else is an account.
  authenticator: {
    authenticate(bearer) {
      if (bearer === 'nobody') throw new Problem(generalErrors.unauthenticated)
      return bearer.startsWith('org_')
        ? { kind: 'organiser', organiserId: bearer }
        : { kind: 'account', accountKind: 'guest', accountId: bearer }
    },
  },
  idempotency: {
    async begin(request): Promise<IdempotencyState> {
      const known = answers.get(nameOf(request))
      return known === undefined ? { state: 'new' } : { state: 'done', ...known }
    },
    async finish(request, answer) {
      answers.set(nameOf(request), answer)
    },
    async abandon() {},
  },
  log: createLog({ level: 'silent' }),
  ids: randomIds,
  clock: systemClock,
  options: { port: 0, host: '127.0.0.1' },
})
await server.run()
t.teardown(() => server.stop())

interface Call {
  readonly method?: string
  readonly as?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

async function call(path: string, { method = 'GET', as, body, headers = {} }: Call = {}) {
  const response = await fetch(`http://127.0.0.1:${server.port}/api/v1${path}`, {
    method,
    headers: {
      ...(as === undefined ? {} : { authorization: `Bearer ${as}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const json: unknown = text === '' ? undefined : JSON.parse(text)
  return { status: response.status, headers: response.headers, json, text }
}

const slotSale = {
  kind: 'slots',
  title: 'Pop-up',
  currency: 'KRW',
  opensAt: '2026-01-01T09:00:00+09:00',
  closesAt: '2199-01-01T09:00:00+09:00',
  slots: { dates: { from: '2026-12-01', to: '2026-12-02' }, hours: ['10:00'], capacity: 10, priceMinor: 0 },
}

t.test('creates a sale that everybody can see, and a repeated request makes no second one', async (t) => {
  const create = { method: 'POST', as: organiserId, body: slotSale, headers: { 'idempotency-key': 'one' } }
  const made = await call('/sales', create)
  t.equal(made.status, 201)
  t.match(made.json, {
    id: /^sal_/,
    kind: 'slots',
    status: 'open',
    admits: 'guests',
    opensAt: '2026-01-01T00:00:00.000Z',
    queue: { mode: 'fifo', ratePerMinute: 600 },
    unitCount: 2,
    placeCount: 20,
  })
  t.notMatch(made.text, organiserId)
  const path = made.headers.get('location')?.replace('/api/v1', '') ?? ''
  t.strictSame((await call(path)).json, made.json)
  t.strictSame((await call('/sales', create)).json, made.json)
  answers.clear()
  t.strictSame((await call('/sales', create)).json, made.json, 'also when the answer was not kept')
  t.match((await call('/sales')).json, { items: [made.json], next: null })
})

t.test('lets only organisers create, and names what is wrong', async (t) => {
  t.equal((await call('/sales', { method: 'POST', body: slotSale })).status, 401)
  t.equal((await call('/sales', { method: 'POST', as: 'usr_1', body: slotSale })).status, 403)
  const wrong = { ...slotSale, title: '', slots: { ...slotSale.slots, capacity: 0 } }
  const refused = await call('/sales', { method: 'POST', as: organiserId, body: wrong })
  t.equal(refused.status, 422)
  t.match(refused.json, {
    code: 'invalid_request',
    errors: [{ field: 'title' }, { field: 'slots.capacity' }],
  })
  const doubled = { ...slotSale, slots: { ...slotSale.slots, hours: ['10:00', '10:00'] } }
  const unfit = await call('/sales', { method: 'POST', as: organiserId, body: doubled })
  t.match(unfit.json, { status: 422, code: 'invalid_request', errors: [{ field: 'slots.hours.1' }] })
})

t.test('shows a change to everybody at once, and lets only the own organiser make it', async (t) => {
  const { id } = await makeSale(sql, { organiserId })
  const path = `/sales/${id}`
  t.match((await call(path)).json, { status: 'open' })
  const pause = { method: 'PATCH', body: { status: 'paused', queue: { ratePerMinute: 7 } } }
  t.match((await call(path, { ...pause, as: otherId })).json, { status: 403, code: 'forbidden' })
  t.equal((await call(path, { ...pause, as: 'usr_1' })).status, 403)
  t.equal((await call(path, pause)).status, 401)
  t.match((await call(path)).json, { status: 'open' })
  const paused = await call(path, { ...pause, as: organiserId })
  t.equal(paused.status, 200)
  t.match(paused.json, { status: 'paused', queue: { ratePerMinute: 7 } })
  t.strictSame((await call(path)).json, paused.json)
  await call(path, { method: 'PATCH', as: organiserId, body: { status: 'closed' } })
  t.match((await call(path, { method: 'PATCH', as: organiserId, body: { status: 'open' } })).json, {
    status: 409,
    saleStatus: 'closed',
    code: 'sale_change_not_allowed',
  })
})

t.test('sends the layout once to a client that keeps it', async (t) => {
  const { id } = await makeSale(sql, { organiserId })
  const first = await call(`/sales/${id}/layout`)
  t.equal(first.status, 200)
  t.match(first.json, { kind: 'slots', dates: ['2026-12-01'], hours: ['10:00'], capacity: 10 })
  t.match(first.headers.get('cache-control'), /immutable/)
  const etag = first.headers.get('etag') ?? ''
  const again = await call(`/sales/${id}/layout`, { headers: { 'if-none-match': etag } })
  t.equal(again.status, 304)
  t.equal(again.text, '')
  t.equal((await call(`/sales/${id}/layout`, { headers: { 'if-none-match': '"other"' } })).status, 200)
})

t.test('knows no sale that is not there, and no draft of another', async (t) => {
  const draft = await makeSale(sql, { organiserId })
  await sql`update sales set status = 'draft' where id = ${draft.id}`
  const unknown = [randomIds.next('sal'), 'x', 'sal_%F0%9F%98%80', 'constructor', draft.id]
  for (const sale of unknown) {
    for (const path of [`/sales/${sale}`, `/sales/${sale}/layout`]) {
      t.match((await call(path)).json, { status: 404, code: 'no_such_sale' }, path)
    }
    const body = { title: 'New' }
    const changed = await call(`/sales/${sale}`, { method: 'PATCH', as: otherId, body })
    t.ok([403, 404].includes(changed.status), sale)
  }
  t.equal((await call(`/sales/${draft.id}`, { as: organiserId })).status, 200)
})

t.test('refuses a query or a change that makes no sense', async (t) => {
  const { id } = await makeSale(sql, { organiserId })
  for (const query of ['status=draft', 'kind=x', 'limit=0', 'limit=1e9', 'cursor=abc', 'q=%01', 'q=']) {
    t.match((await call(`/sales?${query}`)).json, { status: 422, code: 'invalid_request' }, query)
  }
  for (const body of [{}, [], 5, { status: 'soldout' }, { queue: { maxActive: '5' } }, { extra: 1 }]) {
    const { json } = await call(`/sales/${id}`, { method: 'PATCH', as: organiserId, body })
    t.match(json, { status: 422, code: 'invalid_request' }, JSON.stringify(body))
  }
})

t.test('is described by the OpenAPI document', async (t) => {
  t.match(server.openApi(), {
    paths: {
      '/api/v1/sales': { get: {}, post: { requestBody: {} } },
      '/api/v1/sales/{sale}': { get: {}, patch: {} },
      '/api/v1/sales/{sale}/layout': { get: {} },
    },
  })
})
