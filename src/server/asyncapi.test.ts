import { Parser } from '@asyncapi/parser'
import t from 'tap'
import { z } from 'zod'
import { startEdge } from '../../test/support/edge.ts'
import { generalErrors } from '../errors.ts'
import { defineChannel } from './channel.ts'
import { closeCodes } from './protocol/close-codes.ts'
import { defineStream } from './route.ts'
import { serverErrors } from './server-errors.ts'

const position = z
  .object({ position: z.int().min(1) })
  .meta({ id: 'Position', description: 'Where one stands' })

const queue = defineChannel({
  prefix: 'queue',
  summary: 'The line',
  about: 'sale',
  auth: 'account',
  events: { position, paused: z.object({}) },
  subscribe: () => () => undefined,
})

const units = defineChannel({
  prefix: 'units',
  auth: 'public',
  about: 'sale',
  events: { free: z.object({ unit: z.string() }) },
  publishes: z.strictObject({ watch: z.array(z.string()).max(20) }),
  subscribe: () => () => undefined,
  publish: () => undefined,
})

const stream = defineStream({
  path: '/api/v1/sales/{sale}/queue/stream',
  summary: 'The line',
  tag: 'Queue',
  auth: 'organiser',
  params: z.object({ sale: z.string() }),
  events: { position: { description: 'Where one stands', schema: position } },
  open: () => undefined,
})

const parts = {
  channels: [queue, units],
  streams: [stream],
  options: { port: 0, version: '1.2.3', publicUrl: 'https://tickets.example' },
}

interface Document {
  readonly asyncapi: string
  readonly info: { readonly description: string }
  readonly servers: Readonly<Record<string, object>>
  readonly channels: Readonly<Record<string, { readonly address: string; readonly messages: object }>>
  readonly operations: Readonly<Record<string, object>>
  readonly components: { readonly messages: Readonly<Record<string, object>>; readonly schemas: object }
}

t.test('the document is one that tools for AsyncAPI read without complaint', async (t) => {
  const { url } = await startEdge(t, parts)
  const text = await (await fetch(`${url}/asyncapi.json`)).text()
  const { document, diagnostics } = await new Parser().parse(text)
  t.same(
    diagnostics.filter(({ severity }) => severity <= 1).map(({ message, path }) => [message, path.join('.')]),
    [],
  )
  t.equal(document?.version(), '3.0.0')
  t.same(document?.channels().all().length, 3)
  t.same(document?.operations().all().length, 5)
})

t.test('it says what each channel and stream sends and takes, by the schemas that are used', async (t) => {
  const { url } = await startEdge(t, parts)
  const document = (await (await fetch(`${url}/asyncapi.json`)).json()) as Document
  t.match(document.servers, {
    socket: { host: 'tickets.example', protocol: 'wss', pathname: '/ws' },
    streams: { host: 'tickets.example', protocol: 'https' },
  })
  t.match(document.channels, {
    queue: { address: 'queue:{sale}', summary: 'The line', parameters: { sale: {} } },
    units: { address: 'units:{sale}' },
    'sales.queue.stream': { address: '/api/v1/sales/{sale}/queue/stream' },
  })
  t.same(Object.keys(document.channels['queue']?.messages ?? {}).toSorted(), [
    'error',
    'ok',
    'queue.paused',
    'queue.position',
    'subscribe',
    'unsubscribe',
  ])
  t.match(document.components.messages, {
    'queue.position': {
      name: 'position',
      payload: {
        required: ['ch', 'type', 'data'],
        properties: { type: { const: 'position' }, data: { $ref: '#/components/schemas/Position' } },
      },
    },
    'units.publish': {
      payload: { properties: { data: { properties: { watch: { type: 'array', maxItems: 20 } } } } },
    },
    'sales.queue.stream.position': { payload: { $ref: '#/components/schemas/Position' } },
  })
  t.match(document.components.schemas, { Position: { properties: { position: { minimum: 1 } } } })
  const bearer = { $ref: '#/components/securitySchemes/bearer' }
  t.match(document.operations, {
    'queue.send': { action: 'send', security: [bearer, {}] },
    'units.receive': { action: 'receive', security: [] },
    'sales.queue.stream.send': { security: [bearer] },
  })
})

t.test(
  'every code with which a connection is closed, and every code of an error, is explained',
  async (t) => {
    const errors = Object.values({ ...generalErrors, ...serverErrors })
    const { server } = await startEdge(t, { ...parts, errors })
    const { info } = server.asyncApi() as Document
    for (const { code, reason } of Object.values(closeCodes))
      t.match(info.description, `${code} \`${reason}\``)
    for (const { code } of errors) t.match(info.description, `\`${code}\``)
  },
)

t.test('the document is not sent twice to who has it, and the readable API leads to it', async (t) => {
  const { url } = await startEdge(t, parts)
  const etag = (await fetch(`${url}/asyncapi.json`)).headers.get('etag') ?? ''
  t.equal((await fetch(`${url}/asyncapi.json`, { headers: { 'if-none-match': etag } })).status, 304)
  t.match(await (await fetch(`${url}/docs`)).text(), 'href="/asyncapi.json"')
  t.match(await (await fetch(`${url}/openapi.json`)).text(), '(/asyncapi.json)')
})

t.test('a channel that takes something without saying what is refused at the start', async (t) => {
  const vague = { ...units, publishes: undefined }
  await t.rejects(
    startEdge(t, { channels: [vague as unknown as typeof units] }),
    /units must describe what is published to it/,
  )
})
