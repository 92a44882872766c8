import t from 'tap'
import { z } from 'zod'
import { startEdge } from '../../test/support/edge.ts'
import { defineErrors, generalErrors } from '../errors.ts'
import { defineRoute, defineStream } from './route.ts'
import { serverErrors } from './server-errors.ts'

const errors = defineErrors({
  unit_taken: { status: 409, title: 'Taken <already>', advice: 'Choose "another".', retryable: false },
})

const hold = defineRoute({
  method: 'POST',
  path: '/sales/{sale}/holds',
  summary: 'Hold units',
  tag: 'Holds',
  auth: 'account',
  params: z.object({ sale: z.string() }),
  query: z.object({ dry: z.enum(['0', '1']).optional() }),
  headers: z.object({ 'purchase-token': z.string() }),
  body: z.object({ units: z.array(z.string()) }),
  responses: { 201: { description: 'Held', schema: z.object({ id: z.string() }) } },
  errors: [errors.unit_taken],
  handle: () => ({ status: 201, body: { id: 'a' } }),
})

const positions = defineStream({
  path: '/sales/{sale}/stream',
  summary: 'Positions',
  tag: 'Queue',
  auth: 'public',
  params: z.object({ sale: z.string() }),
  events: { position: { description: 'Where one stands', schema: z.object({ position: z.int() }) } },
  open: () => undefined,
})

const parts = {
  routes: [hold],
  streams: [positions],
  errors: Object.values({ ...generalErrors, ...serverErrors, ...errors }),
  options: { port: 0, version: '1.2.3', publicUrl: 'https://tickets.example' },
}

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[]
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: object }>>
  readonly requestBody?: object
  readonly security: readonly object[]
}

interface Document {
  readonly openapi: string
  readonly info: object
  readonly servers: readonly object[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, { readonly enum?: readonly string[] }>> }
}

t.test('the document describes each route by the schemas that validate it', async (t) => {
  const { url } = await startEdge(t, parts)
  const response = await fetch(`${url}/openapi.json`)
  const document = (await response.json()) as Document
  t.match(document, {
    openapi: '3.1.0',
    info: { title: 'Openrun', version: '1.2.3' },
    servers: [{ url: 'https://tickets.example' }],
  })
  const operation = document.paths['/sales/{sale}/holds']?.['post']
  t.same(
    operation?.parameters.map(({ name, in: place, required = false }) => [name, place, required]).toSorted(),
    [
      ['dry', 'query', false],
      ['purchase-token', 'header', true],
      ['sale', 'path', true],
    ],
  )
  t.match(operation?.requestBody, {
    required: true,
    content: { 'application/json': { schema: { required: ['units'] } } },
  })
  t.match(operation?.responses['201'], { content: { 'application/json': { schema: { required: ['id'] } } } })
  t.match(operation?.responses['409']?.description, /`unit_taken`/)
  t.match(operation?.responses['409']?.content, {
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
  })
  for (const status of ['400', '401', '403', '413', '415', '422', '500', '503'])
    t.ok(operation?.responses[status], status)
  t.match(operation?.security, [{ bearer: [] }, { cookie: [] }])
  t.match(document.paths['/sales/{sale}/stream']?.['get']?.responses['200'], {
    description: /`position`: Where one stands/,
    content: { 'text/event-stream': {} },
  })
})

t.test(
  'every error code there is stands in the document, and each error leads to its explanation',
  async (t) => {
    const { url } = await startEdge(t, parts)
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document
    t.same(
      document.components.schemas['ErrorCode']?.enum,
      parts.errors.map(({ code }) => code),
    )
    const { type } = (await (await fetch(`${url}/nothing`)).json()) as { type: string }
    const page = await fetch(new URL(type, url))
    t.equal(page.status, 200)
    const html = await page.text()
    t.match(html, `id="${new URL(type, url).hash.slice(1)}"`)
    t.match(html, 'Taken &lt;already>. Choose &quot;another&quot;.')
  },
)

t.test('the document is there without a running server, and is not sent twice to who has it', async (t) => {
  const { server, url } = await startEdge(t, parts)
  const response = await fetch(`${url}/openapi.json`)
  t.same(JSON.parse(JSON.stringify(server.openApi())), await response.json())
  const etag = response.headers.get('etag') ?? ''
  t.equal((await fetch(`${url}/openapi.json`, { headers: { 'if-none-match': etag } })).status, 304)
})

t.test('a status that is an answer of its own and an error is described as both', async (t) => {
  const { server } = await startEdge(t, parts)
  const { paths } = JSON.parse(JSON.stringify(server.openApi())) as {
    paths: Record<string, Record<string, { responses: Record<string, { content: object }> }>>
  }
  const content = paths['/readyz']?.['get']?.responses['503']?.content ?? {}
  t.same(Object.keys(content), ['application/json', 'application/problem+json'])
})

t.test('the readable API works under a policy that lets nothing in from elsewhere', async (t) => {
  const { url } = await startEdge(t, parts)
  const page = await fetch(`${url}/docs`)
  t.match(page.headers.get('content-type'), /^text\/html/)
  const policy = page.headers.get('content-security-policy') ?? ''
  t.match(policy, "default-src 'none'")
  t.notMatch(policy, /unsafe|https?:|\*/)
  const html = await page.text()
  t.notMatch(html, /<script>|<style|style=|https?:\/\/|\son\w+=/)
  const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
  t.ok(links.length >= 5)
  for (const link of links) {
    const response = await fetch(`${url}${link}`)
    t.equal(response.status, 200, link)
    t.ok((await response.arrayBuffer()).byteLength > 0, link)
  }
})

t.test('a route that is declared wrongly is refused at the start', async (t) => {
  const base = { method: 'GET', summary: '', tag: '', auth: 'public', responses: {} } as const
  const undescribed = defineRoute({ ...base, path: '/a/{b}', handle: () => ({ status: 204 }) })
  await t.rejects(startEdge(t, { routes: [undescribed] }), /GET \/a\/\{b\} must describe the parameters/)
  const twice = defineRoute({ ...base, path: '/a', handle: () => ({ status: 204 }) })
  await t.rejects(startEdge(t, { routes: [twice, twice] }), /declared twice/)
  const kept = defineRoute({ ...base, path: '/a', idempotent: true, handle: () => ({ status: 204 }) })
  await t.rejects(startEdge(t, { routes: [kept] }), /need a store/)
})
