import t from 'tap'
import { addOrganiserKey } from '../../src/domain/accounts/organiser-key.ts'
import { randomIds } from '../../src/ids.ts'
import { useApp } from '../support/app.ts'
import { freeSlots } from '../support/calls.ts'
import { api } from '../support/contract.ts'
import { newStore, registerStore } from '../support/new-store.ts'
import { makeOrganiser } from '../support/sales.ts'
import { until } from '../support/until.ts'

const app = await useApp(t)
const token = app.organiserKey
const guest = await app.guest()

t.test('an organiser registers a store, everybody reads it, and its room opens with it', async (t) => {
  const body = newStore({
    openingHours: [{ days: [1, 2, 3, 4, 5], from: '11:00', to: '20:00' }],
    links: [{ label: 'Shop', url: 'https://shop.example/a' }],
    maxPerAccount: 3,
  })
  const made = await app.call('POST', `${api}/stores`, { token, body })
  t.equal(made.status, 201)
  t.match(made.body, {
    ...body,
    id: /^sto_/,
    descriptionHtml: '<p>Ink and <strong>paper</strong>.</p>\n',
    popularity: 0,
    status: 'open',
    pictures: [],
  })
  t.notOk('organiserId' in made.body)
  const path = made.headers.get('location') ?? ''
  t.strictSame((await app.call('GET', path)).body, made.body)
  const rooms =
    await app.sql`select last_seq, closed_at from chat_rooms where store_id = ${String(made.body['id'])}`
  t.strictSame([...rooms], [{ last_seq: 0, closed_at: null }])
})

t.test('the same request once more makes no second store', async (t) => {
  const headers = { 'idempotency-key': 'one-store' }
  const body = newStore({ name: 'Only once' })
  const post = () => app.call('POST', `${api}/stores`, { token, body, headers })
  const first = await post()
  t.strictSame((await post()).body, first.body)
  await app.sql`delete from idempotency_keys where key = 'one-store'`
  t.strictSame((await post()).body, first.body, 'also when the answer was not kept')
  const [count] = await app.sql`select count(*)::int from stores where name = 'Only once'`
  t.strictSame(count, { count: 1 })
})

t.test('only organisers register, and are told what is wrong', async (t) => {
  t.equal((await app.call('POST', `${api}/stores`, { body: newStore() })).status, 401)
  const asGuest = { token: guest.token, body: newStore() }
  t.equal((await app.call('POST', `${api}/stores`, asGuest)).status, 403)
  const wrong: readonly [string, unknown][] = [
    ['name', ' '],
    ['name', 'a\u0007'],
    ['description', '\u0001'],
    ['description', 'a'.repeat(20_001)],
    ['category', 'cars'],
    ['latitude', 91],
    ['longitude', -181],
    ['closesAt', newStore()['opensAt']],
    ['closesAt', '2020-01-01T00:00:00Z'],
    ['maxPerAccount', 0],
    ['links.0.url', [{ label: 'x', url: 'http://plain.example' }]],
    ['links.0.url', [{ label: 'x', url: 'javascript:alert(1)' }]],
    ['openingHours.0.to', [{ days: [1], from: '10:00', to: '10:00' }]],
    ['openingHours.0.days', [{ days: [1, 1], from: '10:00', to: '11:00' }]],
    ['status', 'closed'],
  ]
  for (const [field, value] of wrong) {
    const [member = ''] = field.split('.')
    const opensAt = value === '2020-01-01T00:00:00Z' ? { opensAt: '2019-01-01T00:00:00Z' } : {}
    const body = newStore({ ...opensAt, [member]: value })
    const refused = await app.call('POST', `${api}/stores`, { token, body })
    const name = member === 'status' ? '' : field
    t.match(
      refused.body,
      { status: 422, errors: [{ field: name }] },
      `${field} ${JSON.stringify(value).slice(0, 30)}`,
    )
  }
})

t.test('a change is seen at once, and only the own organiser makes it', async (t) => {
  const storeId = await registerStore(app, { maxPerAccount: 2 })
  const path = `${api}/stores/${storeId}`
  const other = await addOrganiserKey(app.sql, await makeOrganiser(app.sql))
  const change = { name: '새 이름', maxPerAccount: null, description: '<b>new</b><script>x</script>' }
  t.equal((await app.call('PATCH', path, { token: other, body: change })).status, 403)
  t.equal((await app.call('PATCH', path, { token: guest.token, body: change })).status, 403)
  t.match((await app.call('GET', path)).body, { name: '성수 문구점', maxPerAccount: 2 })
  const changed = await app.call('PATCH', path, { token, body: change })
  t.match(changed.body, {
    name: '새 이름',
    maxPerAccount: null,
    address: '서울 성동구 연무장길 1',
    descriptionHtml: '<p>new</p>\n',
  })
  t.strictSame((await app.call('GET', path)).body, changed.body)
  for (const body of [{}, { status: 'open' }, { popularity: 5 }, { opensAt: '2199-01-01T00:00:00Z' }]) {
    t.equal((await app.call('PATCH', path, { token, body })).status, 422, JSON.stringify(body))
  }
  const ended = { opensAt: '2020-01-01T00:00:00Z', closesAt: '2020-02-01T00:00:00Z' }
  t.match((await app.call('PATCH', path, { token, body: ended })).body, {
    status: 422,
    errors: [{ field: 'closesAt' }],
  })
})

t.test('what is changed of a sale is seen at once among the sales of its store', async (t) => {
  const storeId = await registerStore(app)
  const saleId = await app.sale({ store: storeId })
  const titles = async () => {
    const { body } = await app.call('GET', `${api}/stores/${storeId}/sales`)
    return (body['items'] as { title: string }[]).map(({ title }) => title)
  }
  for (const title of ['One', 'Two', 'Three']) {
    await app.call('PATCH', `${api}/sales/${saleId}`, { token, body: { title } })
    t.strictSame(await titles(), [title])
  }
})

t.test('knows no store that is not there', async (t) => {
  for (const storeId of [randomIds.next('sto'), 'x', 'sto_%F0%9F%98%80', 'constructor']) {
    const path = `${api}/stores/${storeId}`
    t.match((await app.call('GET', path)).body, { status: 404, code: 'no_such_store' })
    const change = await app.call('PATCH', path, { token, body: { name: 'x' } })
    t.match(change.body, { status: 404, code: 'no_such_store' })
  }
})

/** Keys of a sale that stay until somebody lets go of them. */
async function lastingKeys(saleId: string): Promise<string[]> {
  const keys = await app.redis.keys(`*{${saleId}}*`)
  const lives = await Promise.all(keys.map((key) => app.redis.ttl(key)))
  return keys.filter((_, index) => lives[index] === -1)
}

async function statusOf(path: string): Promise<unknown> {
  return (await app.call('GET', `${api}/${path}`)).body['status']
}

/** A sale in the store, and somebody who waits in its line. */
async function visitedSale(storeId: string) {
  const saleId = await app.sale({ store: storeId, ...freeSlots(1) })
  const visitor = await app.guest()
  await visitor.letIn(saleId)
  t.ok((await lastingKeys(saleId)).length > 0)
  return { saleId, stream: await visitor.stream(saleId) }
}

t.test('closing a store closes its sales, whose keys go, and its room, and nothing elsewhere', async (t) => {
  const storeId = await registerStore(app)
  const [first, second] = [await visitedSale(storeId), await app.sale({ store: storeId })]
  const elsewhere = await app.sale()
  const sales = await app.call('GET', `${api}/stores/${storeId}/sales`)
  t.match(sales.body, { items: [{ id: second, store: storeId }, { id: first.saleId }], next: null })
  const closed = await app.call('PATCH', `${api}/stores/${storeId}`, { token, body: { status: 'closed' } })
  t.equal(closed.body['status'], 'closed')
  for (const saleId of [first.saleId, second]) t.equal(await statusOf(`sales/${saleId}`), 'closed')
  await first.stream.events.next('closed')
  await until('the keys go', async () => (await lastingKeys(first.saleId)).length === 0)
  t.equal(await statusOf(`sales/${elsewhere}`), 'open')
  const [room] = await app.sql`
    select closed_at is not null as closed, last_seq, kind, account_id from chat_rooms
    join chat_entries using (store_id) where store_id = ${storeId} and seq = last_seq`
  t.strictSame(room, { closed: true, last_seq: 1, kind: 'closed', account_id: null })
})

t.test('a closed store stays as it is', async (t) => {
  const storeId = await registerStore(app)
  const patch = (body: unknown) => app.call('PATCH', `${api}/stores/${storeId}`, { token, body })
  t.match((await patch({ name: 'Last', status: 'closed' })).body, { name: 'Last', status: 'closed' })
  t.equal((await patch({ status: 'closed' })).status, 200)
  t.match((await patch({ name: 'New' })).body, { status: 409, code: 'store_closed' })
  t.match((await patch({ name: 'New', status: 'closed' })).body, { code: 'store_closed' })
  const [room] = await app.sql`select last_seq from chat_rooms where store_id = ${storeId}`
  t.strictSame(room, { last_seq: 1 })
  const listed = (status: string) => app.call('GET', `${api}/stores?q=last&status=${status}`)
  t.match((await listed('open')).body, { items: [] })
  t.match((await listed('closed')).body, { items: [{ id: storeId }] })
})

t.test('a store closes by itself at its time, with all that is in it', async (t) => {
  const storeId = await registerStore(app)
  const { saleId } = await visitedSale(storeId)
  const later = await registerStore(app)
  await app.sql`update stores set closes_at = clock_timestamp() where id = ${storeId}`
  await until('the store closes', async () => (await statusOf(`stores/${storeId}`)) === 'closed')
  await until('the sale closes', async () => (await statusOf(`sales/${saleId}`)) === 'closed')
  await until('the keys go', async () => (await lastingKeys(saleId)).length === 0)
  t.equal(await statusOf(`stores/${later}`), 'open')
})
