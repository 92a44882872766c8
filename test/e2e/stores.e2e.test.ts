import t from 'tap'
import { addOrganiserKey } from '../../src/domain/accounts/organiser-key.ts'
import { randomIds } from '../../src/ids.ts'
import { useApp } from '../support/app.ts'
import { api } from '../support/contract.ts'
import { newStore, registerStore } from '../support/new-store.ts'
import { makeOrganiser } from '../support/sales.ts'

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

t.test('knows no store that is not there', async (t) => {
  for (const storeId of [randomIds.next('sto'), 'x', 'sto_%F0%9F%98%80', 'constructor']) {
    const path = `${api}/stores/${storeId}`
    t.match((await app.call('GET', path)).body, { status: 404, code: 'no_such_store' })
    const change = await app.call('PATCH', path, { token, body: { name: 'x' } })
    t.match(change.body, { status: 404, code: 'no_such_store' })
  }
})
