import t from 'tap'
import { z } from 'zod'
import { RawClient, startEdge } from '../../test/support/edge.ts'
import { bare, echo, item, json, pausing, post, problemOf } from '../../test/support/edge-routes.ts'
import { defineRoute } from './route.ts'

t.test('a body that is no JSON, no UTF-8 or cannot be stored is 400', async (t) => {
  const { url } = await startEdge(t, { routes: [echo] })
  const bodies = ['{', '{"text":}', 'nul', '{"text":"a\\u0000b"}', '{"text":"\\ud800"}', '{"\\uDC00":1}']
  for (const body of bodies) {
    t.match(await problemOf(await post(`${url}/echo`, body)), { status: 400, code: 'malformed_json' }, body)
  }
  const notText = await fetch(`${url}/echo`, {
    method: 'POST',
    headers: json,
    body: new Uint8Array([34, 255, 34]),
  })
  t.match(await problemOf(notText), { status: 400, code: 'malformed_json' })
  t.equal((await post(`${url}/echo`, '{"text":"\\\\u0000 \\ud83d\\ude00"}')).status, 201)
})

t.test('a body of another type is 415', async (t) => {
  const { url } = await startEdge(t, { routes: [echo] })
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', '']) {
    const response = await post(`${url}/echo`, '{"text":"a"}', { 'content-type': type })
    t.match(await problemOf(response), { status: 415, code: 'unsupported_media_type' }, type)
  }
  t.equal(
    (await post(`${url}/echo`, '{"text":"a"}', { 'content-type': 'Application/JSON; charset=utf-8' })).status,
    201,
  )
})

t.test('a body over the limit is 413 and the connection stays usable', async (t) => {
  const { url, port } = await startEdge(t, { routes: [echo] })
  const big = JSON.stringify({ text: 'a'.repeat(70_000) })
  t.match(await problemOf(await post(`${url}/echo`, big)), { status: 413, code: 'body_too_large' })
  const client = new RawClient(t, port)
  const head = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  client.send(head, `Transfer-Encoding: chunked\r\n\r\n${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`)
  t.match(await client.until('body_too_large'), /413 Payload Too Large/)
  client.send(head, 'Content-Length: 14\r\n\r\n{"text":"end"}')
  await client.until('{"got":{"text":"end"}}')
})

t.test('a body that says it is over the limit is not waited for', async (t) => {
  const { port } = await startEdge(t, { routes: [echo] })
  const head =
    'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 70000\r\n\r\n'
  t.match(await new RawClient(t, port).send(head).until('body_too_large'), /413 Payload Too Large/)
})

t.test('each bad field is named, and the list stays small whatever is sent', async (t) => {
  const { url } = await startEdge(t, { routes: [echo] })
  const wrong = await problemOf(await post(`${url}/echo`, '{"text":1,"more":[1,"2",3]}'))
  t.match(wrong, { status: 422, code: 'invalid_request' })
  t.same(
    (wrong['errors'] as { field: string }[]).map(({ field }) => field),
    ['text', 'more.1'],
  )
  const many = await problemOf(
    await post(`${url}/echo`, JSON.stringify({ text: '', more: Array(9_999).fill('x') })),
  )
  t.equal((many['errors'] as unknown[]).length, 20)
  const longName = await post(`${url}/echo`, JSON.stringify({ text: '', ['k'.repeat(50_000)]: 1 }))
  t.ok((await longName.text()).length < 2_000)
})

t.test('bodies of every other shape are 422, deep ones too', async (t) => {
  const { url } = await startEdge(t, { routes: [echo] })
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
  for (const body of [
    'null',
    '1',
    '"text"',
    '[]',
    '{}',
    '{"text":null}',
    '{"text":{}}',
    deep,
    `{"text":${deep}}`,
  ]) {
    t.match(await problemOf(await post(`${url}/echo`, body)), { status: 422 }, body.slice(0, 20))
  }
  const escaped = `${'{"a":'.repeat(9_000)}"\\u0000"${'}'.repeat(9_000)}`
  t.match(await problemOf(await post(`${url}/echo`, escaped)), { status: 400 })
})

t.test('keys that reach for the prototype pollute nothing', async (t) => {
  const every = defineRoute({
    ...bare,
    method: 'GET',
    path: '/every',
    query: z.looseObject({}),
    handle: ({ query }) => ({ status: 200, body: Object.entries(query) }),
  })
  const { url } = await startEdge(t, { routes: [echo, item, every] })
  for (const body of [
    '{"__proto__":{"polluted":1},"text":"a"}',
    '{"constructor":{"prototype":{"polluted":1}},"text":"a"}',
  ]) {
    t.match(await problemOf(await post(`${url}/echo`, body)), { status: 422 })
  }
  const query = await fetch(`${url}/items/a?__proto__=1&__proto__[polluted]=1&constructor=2&size=3`)
  t.same(await query.json(), { item: 'a', size: '3' })
  const all = await fetch(`${url}/every?constructor=2&toString=3&toString=4`)
  t.same(await all.json(), [
    ['constructor', '2'],
    ['toString', ['3', '4']],
  ])
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

t.test('wrong percent-encoding in the path or the query is 400', async (t) => {
  const { url, port } = await startEdge(t, { routes: [item] })
  for (const path of [
    '/items/%',
    '/items/%zz',
    '/items/%ff',
    '/items/%00',
    '/items/a?size=%',
    '/items/a?%e0=1',
  ]) {
    const answer = new RawClient(t, port)
      .send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
      .until('malformed_url')
    t.match(await answer, /400 Bad Request/, path)
  }
  const many = Array.from({ length: 65 }, (_, index) => `a${index}=1`).join('&')
  t.match(await problemOf(await fetch(`${url}/items/a?${many}`)), { status: 400, code: 'malformed_url' })
})

t.test('a query parameter given twice is 422, odd query strings are harmless', async (t) => {
  const { url } = await startEdge(t, { routes: [item] })
  const twice = await problemOf(await fetch(`${url}/items/a?size=1&size=2&size=3`))
  t.match(twice, { status: 422, errors: [{ field: 'size' }] })
  for (const query of ['?', '?&&&', '?=', '?=&=', '?a', '?size', '?a=b=c', '???']) {
    t.equal((await fetch(`${url}/items/a${query}`)).status, 200, query)
  }
  t.match(await problemOf(await fetch(`${url}/items/${'x'.repeat(21)}`)), {
    status: 422,
    errors: [{ field: 'item' }],
  })
})

t.test(
  'requests that are no HTTP, half sent or smuggled end their connection and nothing else',
  async (t) => {
    const { url, port } = await startEdge(t, { routes: [item, echo] })
    const head = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    const refused = [
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n',
      'GET /items/a HTTP/1.0\r\nHost: x\r\n\r\n',
      `${head}Content-Length: -3\r\n\r\nabc`,
      `${head}Content-Length: 99999999999999999999\r\n\r\nabc`,
      `${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
      `GET /items/a HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(200_000)}\r\n\r\n`,
    ]
    for (const bytes of refused) {
      const answer = await new RawClient(t, port).send(bytes).closed()
      t.match(answer, /^$|^HTTP\/1\.1 (?:400|413|431|505)/, JSON.stringify(bytes.slice(0, 40)))
    }
    const half = new RawClient(t, port).send(`${head}Content-Length: 100\r\n\r\n{"te`)
    const unfinished = new RawClient(t, port).send('GET /items/a HT')
    await Promise.all(
      [half, unfinished].map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))),
    )
    half.socket.destroy()
    unfinished.socket.destroy()
    t.equal((await fetch(`${url}/items/a`)).status, 200)
  },
)

t.test(
  'headers as large as two tokens and a cookie jar are read, also when they come in two parts',
  async (t) => {
    const { url, port } = await startEdge(t, { routes: [item] })
    const whole = `GET /items/a HTTP/1.1\r\nHost: x\r\nX-Colour: red\r\nCookie: a=${'b'.repeat(12_000)}\r\n\r\n`
    const client = new RawClient(t, port).send(whole.slice(0, 9_000))
    // When this is answered the server has read the first part.
    await fetch(`${url}/healthz`)
    t.match(await client.send(whole.slice(9_000)).until('red'), /200 OK/)
  },
)

t.test('a second request before the answer to the first ends the connection and nothing else', async (t) => {
  const { context, route } = pausing('/slow')
  const { url, port } = await startEdge(t, { routes: [item, route] })
  const client = new RawClient(t, port).send('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
  const { ctx, finish } = await context
  const aborted = new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()))
  t.equal(await client.send('GET /items/a HTTP/1.1\r\nHost: x\r\n\r\n').closed(), '')
  await aborted
  finish()
  const one = 'GET /items/a HTTP/1.1\r\nHost: x\r\n\r\n'
  t.match(await new RawClient(t, port).send(one, one.replace('/a', '/b')).until('"b"'), /"a"[^]*"b"/)
  t.equal((await fetch(`${url}/items/a`)).status, 200)
})
