import { connect } from 'node:net'
import t from 'tap'
import { z } from 'zod'
import { RawClient, startEdge } from '../../test/support/edge.ts'
import { defineErrors, Problem } from '../errors.ts'
import { defineRoute, type RequestContext } from './route.ts'

const teapotErrors = defineErrors({
  short_and_stout: { status: 418, title: 'I am a teapot', advice: 'Tip me over.', retryable: true },
})

const item = defineRoute({
  method: 'GET',
  path: '/items/{item}',
  summary: 'One item',
  tag: 'Test',
  auth: 'public',
  params: z.object({ item: z.string().max(20) }),
  query: z.object({ size: z.string().optional() }),
  headers: z.object({ 'x-colour': z.string().optional() }),
  responses: { 200: { description: 'It' } },
  handle: ({ params, query, headers }) => ({ status: 200, body: { ...params, ...query, ...headers } }),
})

const echo = defineRoute({
  method: 'POST',
  path: '/echo',
  summary: 'Echo',
  tag: 'Test',
  auth: 'public',
  body: z.strictObject({ text: z.string(), more: z.array(z.int()).optional() }).optional(),
  responses: { 201: { description: 'It' } },
  handle: async ({ body }) => {
    await Promise.resolve()
    return { status: 201, body: { got: body ?? null } }
  },
})

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  return { ...((await response.json()) as Record<string, unknown>), status: response.status }
}

const json = { 'content-type': 'application/json' }

function post(url: string, body: string, headers: Record<string, string> = json): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers })
}

t.test('a request reaches its handler validated, and the answer is JSON that nobody caches', async (t) => {
  const { url } = await startEdge(t, { routes: [item] })
  const response = await fetch(`${url}/items/caf%C3%A9?size=a+b&other=1`, { headers: { 'x-colour': 'red' } })
  t.equal(response.status, 200)
  t.same(await response.json(), { item: 'café', size: 'a b', 'x-colour': 'red' })
  t.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
  t.equal(response.headers.get('cache-control'), 'no-store')
  t.equal(response.headers.get('x-content-type-options'), 'nosniff')
  t.equal(response.headers.get('referrer-policy'), 'no-referrer')
})

t.test('HEAD answers as GET does, without the body', async (t) => {
  const { url } = await startEdge(t, { routes: [item] })
  const response = await fetch(`${url}/items/a`, { method: 'HEAD' })
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-length'), String(JSON.stringify({ item: 'a' }).length))
  t.equal(await response.text(), '')
})

t.test('answers without a body leave their connection usable', async (t) => {
  const { port } = await startEdge(t, { routes: [item] })
  const client = new RawClient(t, port)
  client.send('HEAD /items/abc HTTP/1.1\r\nHost: x\r\n\r\n')
  t.match(await client.until('\r\n\r\n'), /Content-Length: 14\r\n[^]*\r\n\r\n$/)
  client.received = ''
  client.send('OPTIONS /items/a HTTP/1.1\r\nHost: x\r\n\r\n')
  t.notMatch(await client.until('\r\n\r\n'), /content-length|transfer-encoding/i)
  client.send('GET /items/end HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.until('{"item":"end"}')
})

t.test('an unknown address is 404 and a wrong method 405 with the right ones', async (t) => {
  const { url } = await startEdge(t, { routes: [item, echo] })
  const unknown = await fetch(`${url}/nothing`)
  t.match(await problemOf(unknown), {
    status: 404,
    code: 'no_such_route',
    type: '/docs/errors#no_such_route',
  })
  t.equal(unknown.headers.get('content-type'), 'application/problem+json')
  const wrong = await fetch(`${url}/items/a`, { method: 'PUT', body: 'x' })
  t.match(await problemOf(wrong), { status: 405, code: 'method_not_allowed' })
  t.equal(wrong.headers.get('allow'), 'GET, HEAD, OPTIONS')
  const options = await fetch(`${url}/echo`, { method: 'OPTIONS' })
  t.equal(options.status, 204)
  t.equal(options.headers.get('allow'), 'POST, OPTIONS')
})

t.test('a body may be absent where the schema says so, in one piece or in many', async (t) => {
  const { url, port } = await startEdge(t, { routes: [echo] })
  t.same(await (await fetch(`${url}/echo`, { method: 'POST' })).json(), { got: null })
  t.same(await (await post(`${url}/echo`, '{"text":"é"}')).json(), { got: { text: 'é' } })
  const client = new RawClient(t, port)
  client.send(
    'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
  )
  for (const piece of ['{"te', 'xt":', '"ab"}']) client.send(`${piece.length.toString(16)}\r\n${piece}\r\n`)
  t.match(await client.send('0\r\n\r\n').until('ab'), /201 Created[^]*\{"got":\{"text":"ab"\}\}/)
})

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
  const { url } = await startEdge(t, { routes: [echo, item] })
  for (const body of [
    '{"__proto__":{"polluted":1},"text":"a"}',
    '{"constructor":{"prototype":{"polluted":1}},"text":"a"}',
  ]) {
    t.match(await problemOf(await post(`${url}/echo`, body)), { status: 422 })
  }
  const query = await fetch(`${url}/items/a?__proto__=1&__proto__[polluted]=1&constructor=2&size=3`)
  t.same(await query.json(), { item: 'a', size: '3' })
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

function throwing(path: string, fail: () => unknown) {
  return defineRoute({
    method: 'GET',
    path,
    summary: 'Fails',
    tag: 'Test',
    auth: 'public',
    responses: {},
    handle: async () => {
      await Promise.resolve()
      throw fail()
    },
  })
}

t.test('a Problem is told with all its members', async (t) => {
  const problem = () =>
    new Problem(teapotErrors.short_and_stout, { retryAfterSeconds: 2.1, extra: { spout: 'here', status: 1 } })
  const { url } = await startEdge(t, { routes: [throwing('/tea', problem)] })
  const response = await fetch(`${url}/tea`)
  t.equal(response.headers.get('retry-after'), '3')
  t.equal(response.headers.get('content-type'), 'application/problem+json')
  t.same(await response.json(), {
    type: '/docs/errors#short_and_stout',
    title: 'I am a teapot',
    status: 418,
    detail: 'Tip me over.',
    code: 'short_and_stout',
    retryable: true,
    traceId: response.headers.get('trace-id'),
    spout: 'here',
  })
})

t.test('what fails unforeseen is 500 without inner text, logged with its trace id', async (t) => {
  const unwritable = defineRoute({
    ...{ method: 'GET', path: '/unwritable', summary: '', tag: '', auth: 'public', responses: {} },
    handle: () => ({ status: 200, body: { big: 1n } }),
  })
  const smuggling = defineRoute({
    ...{ method: 'GET', path: '/smuggling', summary: '', tag: '', auth: 'public', responses: {} },
    handle: () => ({ status: 200, headers: { location: '/\r\nset-cookie: a=b' } }),
  })
  const secret = throwing('/secret', () => new Error('password 1234'))
  const odd = throwing('/odd', () => undefined)
  const { url, logged } = await startEdge(t, { routes: [unwritable, smuggling, secret, odd] })
  for (const path of ['/unwritable', '/smuggling', '/secret', '/odd']) {
    const response = await fetch(`${url}${path}`)
    const text = await response.text()
    t.equal(response.status, 500, path)
    t.match(JSON.parse(text), { code: 'internal' })
    t.notMatch(text, /password|BigInt|header/)
    t.equal(logged.at(-1)?.['traceId'], response.headers.get('trace-id'))
  }
  t.match(JSON.stringify(logged), /password 1234/)
})

t.test('the trace of the caller is gone on with when it is a valid one', async (t) => {
  const { url } = await startEdge(t, { routes: [item] })
  const trace = '0af7651916cd43dd8448eb211c80319c'
  const traced = async (traceparent: string) =>
    (await fetch(`${url}/items/a`, { headers: { traceparent } })).headers.get('trace-id')
  t.equal(await traced(`00-${trace}-b7ad6b7169203331-01`), trace)
  for (const wrong of ['x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `00-${trace}`, trace.toUpperCase()]) {
    t.match(await traced(wrong), /^(?!0af765)[0-9a-f]{32}$/)
  }
})

t.test('an unchanged representation is not sent again', async (t) => {
  const layout = defineRoute({
    ...{ method: 'GET', path: '/layout', summary: '', tag: '', auth: 'public', responses: {} },
    handle: () => ({
      status: 200,
      body: { a: 1 },
      headers: { etag: '"one"', 'cache-control': 'public, max-age=60' },
    }),
  })
  const { url } = await startEdge(t, { routes: [layout] })
  const first = await fetch(`${url}/layout`)
  t.equal(first.headers.get('cache-control'), 'public, max-age=60')
  const second = await fetch(`${url}/layout`, { headers: { 'if-none-match': 'W/"zero", W/"one"' } })
  t.equal(second.status, 304)
  t.equal(second.headers.get('etag'), '"one"')
  t.equal((await fetch(`${url}/layout`, { headers: { 'if-none-match': '"two"' } })).status, 200)
})

t.test('a client that goes away aborts the signal, and the late answer hurts nobody', async (t) => {
  const { context, route } = pausing('/slow')
  const { port, url } = await startEdge(t, { routes: [route, item] })
  const client = new RawClient(t, port).send('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
  const { ctx, finish } = await context
  t.equal(ctx.address, '127.0.0.1')
  const aborted = new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()))
  client.socket.destroy()
  await aborted
  finish()
  t.equal((await fetch(`${url}/items/a`)).status, 200)
})

t.test('an answer that takes too long is 503, and what comes later is dropped', async (t) => {
  const { context, route } = pausing('/slow')
  const { url, clock } = await startEdge(t, { routes: [route] })
  const response = fetch(`${url}/slow`)
  const { ctx, finish } = await context
  await clock.advance(29_000)
  t.equal(ctx.signal.aborted, false)
  await clock.advance(2_000)
  t.match(await problemOf(await response), { status: 503, code: 'timed_out' })
  t.equal((await response).headers.get('retry-after'), '1')
  t.equal(ctx.signal.aborted, true)
  finish()
  t.equal((await fetch(`${url}/healthz`)).status, 200)
})

t.test('more requests at once than allowed are 503, except those that watch the process', async (t) => {
  const { context, route } = pausing('/slow')
  const { url } = await startEdge(t, { routes: [route], options: { port: 0, inFlightMax: 1 } })
  const first = fetch(`${url}/slow`)
  const { finish } = await context
  t.match(await problemOf(await fetch(`${url}/slow`)), { status: 503, code: 'overloaded' })
  t.equal((await fetch(`${url}/healthz`)).status, 200)
  finish()
  t.equal((await first).status, 204)
  t.equal((await fetch(`${url}/docs`)).status, 200)
})

t.test('beyond the number of connections requests are 503 and their connections closed', async (t) => {
  const { url, port } = await startEdge(t, { routes: [item], options: { port: 0, connectionsMax: 1 } })
  const holder = connect(port, '127.0.0.1')
  t.teardown(() => holder.destroy())
  await new Promise((resolve) => holder.once('connect', resolve))
  const client = new RawClient(t, port).send('GET /items/a HTTP/1.1\r\nHost: x\r\n\r\n')
  t.match(await client.closed(), /503 Service Unavailable[^]*Connection: close[^]*overloaded/)
  holder.destroy()
  await new Promise((resolve) => holder.once('close', resolve))
  t.equal((await fetch(`${url}/healthz`)).status, 200)
})

t.test('pages of allowed origins may read answers, others may not', async (t) => {
  const { url } = await startEdge(t, {
    routes: [item],
    options: { port: 0, allowedOrigins: ['https://shop.example'] },
  })
  const asked = async (origin: string, method = 'GET') =>
    fetch(`${url}/items/a`, { method, headers: { origin } })
  const allowed = await asked('https://shop.example')
  t.equal(allowed.headers.get('access-control-allow-origin'), 'https://shop.example')
  t.equal(allowed.headers.get('access-control-allow-credentials'), null)
  t.equal(allowed.headers.get('vary'), 'Origin')
  t.match(
    (await asked('https://shop.example', 'OPTIONS')).headers.get('access-control-allow-headers'),
    /Authorization/,
  )
  t.equal((await asked('https://shop.example.evil')).headers.get('access-control-allow-origin'), null)
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

/** A route whose handler waits to be told. */
function pausing(path: string) {
  let tell: (paused: { ctx: RequestContext; finish: () => void }) => void
  const context = new Promise<{ ctx: RequestContext; finish: () => void }>((resolve) => (tell = resolve))
  const route = defineRoute({
    method: 'GET',
    path,
    summary: 'Waits',
    tag: 'Test',
    auth: 'public',
    responses: {},
    handle: (ctx) => new Promise((resolve) => tell({ ctx, finish: () => resolve({ status: 204 }) })),
  })
  return { context, route }
}
