import sharp from 'sharp'
import t from 'tap'
import { addOrganiserKey } from '../../src/domain/accounts/organiser-key.ts'
import { useApp } from '../support/app.ts'
import { api, textAt } from '../support/contract.ts'
import { registerStore } from '../support/new-store.ts'
import { makeOrganiser } from '../support/sales.ts'

const app = await useApp(t, { config: { dataDir: t.testdir() } })
const token = app.organiserKey

const png = await sharp({ create: { width: 900, height: 600, channels: 3, background: 'teal' } })
  .png()
  .toBuffer()
const add = (
  store: string,
  body: Uint8Array | string = png,
  { alt = 'A door', type = 'image/png', as = token } = {},
) =>
  app.call('POST', `${api}/stores/${store}/pictures?alt=${encodeURIComponent(alt)}`, {
    token: as,
    body,
    headers: { 'content-type': type },
  })

t.test('a picture is added, seen by everybody and removed', async (t) => {
  const store = await registerStore(app)
  const added = await add(store)
  t.match(added, { status: 201, body: { id: /^pic_/, alt: 'A door', width: 900, height: 600 } })
  const path = textAt(added.body, 'urls.large')
  const seen = await app.call('GET', path)
  t.match(await sharp(seen.bytes).metadata(), { format: 'webp', width: 900 })
  t.match(seen.headers.get('cache-control'), /immutable/)
  const tag = seen.headers.get('etag') ?? ''
  t.equal((await app.call('GET', path, { headers: { 'if-none-match': tag } })).status, 304)
  t.match((await app.call('GET', `${api}/stores/${store}`)).body, { pictures: [{ id: added.body['id'] }] })

  const gone = await app.call('DELETE', `${api}/stores/${store}/pictures/${textAt(added.body, 'id')}`, {
    token,
  })
  t.equal(gone.status, 204)
  t.match(await app.call('GET', path), { status: 404, body: { code: 'no_such_picture' } })
  t.match((await app.call('GET', `${api}/stores/${store}`)).body, { pictures: [] })
})

t.test('what counts is what is in it', async (t) => {
  const store = await registerStore(app)
  t.equal((await add(store, png, { type: 'image/jpeg' })).status, 201)
  t.match(await add(store, '<svg xmlns="http://www.w3.org/2000/svg"/>'), {
    status: 422,
    body: { code: 'not_a_picture' },
  })
  t.match(await add(store, png, { type: 'image/gif' }), { status: 415 })
  t.match(await add(store, png, { type: 'application/json' }), { status: 415 })
  t.match(await add(store, new Uint8Array(5 * 1024 * 1024 + 1)), {
    status: 413,
    body: { code: 'body_too_large' },
  })
  t.match(await add(store, png, { alt: ' ' }), { status: 422, body: { errors: [{ field: 'alt' }] } })
})

t.test('a store has ten at the most, however many are sent at once', async (t) => {
  const store = await registerStore(app)
  const small = await sharp(png).resize(20).png().toBuffer()
  const answers = await Promise.all(Array.from({ length: 13 }, () => add(store, small)))
  t.equal(answers.filter(({ status }) => status === 201).length, 10)
  for (const { status, body } of answers) if (status !== 201) t.match(body, { code: 'too_many_pictures' })
  const { pictures } = (await app.call('GET', `${api}/stores/${store}`)).body as {
    pictures: { id: string }[]
  }
  t.equal(new Set(pictures.map(({ id }) => id)).size, 10)
  const rows = await app.sql<{ position: number }[]>`
    select position from store_pictures where store_id = ${store} order by position`
  t.same(
    rows.map(({ position }) => position),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
})

t.test('only its organiser changes the pictures of a store', async (t) => {
  const store = await registerStore(app)
  const { body } = await add(store)
  const stranger = await addOrganiserKey(app.sql, await makeOrganiser(app.sql))
  const guest = await app.guest()
  t.match(await add(store, png, { as: stranger }), { status: 403 })
  t.match(await add(store, png, { as: guest.token }), { status: 403 })
  const path = `${api}/stores/${store}/pictures/${textAt(body, 'id')}`
  t.match(await app.call('DELETE', path, { token: stranger }), { status: 403 })
  t.match(await add('sto_00000000000000000000'), { status: 404, body: { code: 'no_such_store' } })
  const other = await registerStore(app)
  const elsewhere = path.replace(store, other)
  t.match(await app.call('DELETE', elsewhere, { token }), { status: 404, body: { code: 'no_such_picture' } })
  t.equal((await app.call('GET', textAt(body, 'urls.small'))).status, 200, 'it is still there')
})
