import fc from 'fast-check'
import t from 'tap'
import { RawClient, SocketClient, startEdge } from '../../test/support/edge.ts'
import { watched } from '../../test/support/edge-channels.ts'
import { echo, item } from '../../test/support/edge-routes.ts'

const text = fc.string({ unit: 'binary-ascii', maxLength: 60 })
const body = fc.oneof(
  text,
  fc.json(),
  fc.json().map((json) => json.slice(0, -1)),
  fc.constant('{"text":"a"}'),
)

const request = fc
  .record({
    method: fc.oneof(fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'DELETE', 'get', ''), text),
    path: fc.oneof(
      fc.constantFrom('/echo', '/items/a', '/ws', '/docs', '*', '//'),
      text.map((tail) => `/items/${tail}`),
    ),
    query: fc.oneof(fc.constant(''), fc.webQueryParameters(), text),
    header: fc.oneof(
      fc.constantFrom(
        'Host',
        'Content-Type',
        'Content-Length',
        'Transfer-Encoding',
        'Authorization',
        'Cookie',
      ),
      text,
    ),
    value: fc.oneof(
      fc.constantFrom('application/json', 'chunked', '5', '-1', 'Bearer x', 'openrun_session=a'),
      text,
    ),
    body,
    isSized: fc.boolean(),
  })
  .map((parts) => {
    const length = parts.isSized ? `Content-Length: ${parts.body.length}\r\n` : ''
    const head = `${parts.method} ${parts.path}?${parts.query} HTTP/1.1\r\nHost: x\r\n${parts.header}: ${parts.value}\r\n`
    return `${head}Content-Type: application/json\r\n${length}\r\n${parts.body}`
  })

t.test('whatever bytes arrive, nothing is a 500 and the process lives on', async (t) => {
  const { url, port, logged } = await startEdge(t, { routes: [echo, item] })
  const send = async (bytes: string): Promise<void> => {
    const client = new RawClient(t, port).send(bytes)
    // When this is answered the server has read what came before.
    const alive = await fetch(`${url}/healthz`)
    if (alive.status !== 200 || client.received.startsWith('HTTP/1.1 500')) throw new Error(client.received)
    client.socket.destroy()
  }
  await t.resolves(fc.assert(fc.asyncProperty(fc.oneof(request, text), send), { numRuns: 300 }))
  t.same(logged, [])
})

t.test('whatever frames arrive, each is answered or ends the connection as documented', async (t) => {
  const { channel } = watched()
  const { port, logged } = await startEdge(t, { channels: [channel] })
  const frame = fc.oneof(
    text,
    fc.json(),
    fc
      .record(
        {
          op: fc.oneof(fc.constantFrom('subscribe', 'unsubscribe', 'publish'), fc.jsonValue()),
          ch: fc.oneof(fc.constantFrom('queue:a', 'queue:', ':', 'chat:a'), fc.jsonValue()),
          since: fc.jsonValue(),
          data: fc.jsonValue(),
          ref: fc.jsonValue(),
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value)),
  )
  const send = async (frames: readonly string[]): Promise<void> => {
    const client = await SocketClient.open(t, port, { token: 'account-1' })
    for (const each of frames) client.send(each)
    client.send({ op: 'unsubscribe', ch: 'queue:z', ref: 'the last' })
    const last = (async () => {
      for (;;) if ((await client.next())['ref'] === 'the last') return 'answered'
    })()
    const end = await Promise.race([last, client.closed.then(({ reason }) => reason)])
    if (end !== 'answered' && end !== 'protocol_violation') throw new Error(end)
    client.socket.terminate()
  }
  await t.resolves(fc.assert(fc.asyncProperty(fc.array(frame, { maxLength: 6 }), send), { numRuns: 150 }))
  t.same(logged, [])
})
