import t from 'tap'
import { RawClient, startEdge } from '../../test/support/edge.ts'
import { bare, echo, item, post, problemOf } from '../../test/support/edge-routes.ts'
import { defineErrors, Problem } from '../errors.ts'
import { defineRoute } from './route.ts'

const teapotErrors = defineErrors({
  short_and_stout: { status: 418, title: 'I am a teapot', advice: 'Tip me over.', retryable: true },
})

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

function throwing(path: string, fail: () => unknown) {
  return defineRoute({
    ...bare,
    method: 'GET',
    path,
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
    ...bare,
    method: 'GET',
    path: '/unwritable',
    handle: () => ({ status: 200, body: { big: 1n } }),
  })
  const smuggling = defineRoute({
    ...bare,
    method: 'GET',
    path: '/smuggling',
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
    ...bare,
    method: 'GET',
    path: '/layout',
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
