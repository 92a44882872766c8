import t from 'tap'
import { useApp } from '../support/app.ts'
import type { CallOptions } from '../support/calls.ts'
import { at, type Operation } from '../support/contract.ts'
import { examples, strangers } from '../support/examples.ts'
import { mutationsOf } from '../support/mutations.ts'
import { takePicture } from '../support/state-picture.ts'

const app = await useApp(t)
const saleId = await app.sale()
const buyer = await app.guest()
const purchaseToken = await buyer.letIn(saleId)
const operations = app.contract.operations
const bodies = examples()
/** Accounts and organisers may make these alike. */
const forBoth = new Set(['POST /api/v1/stores/{store}/messages'])

/** Somebody who may make the call, and everything the call needs beside what is tried. */
function rightOptions(operation: Operation): CallOptions {
  const { security = [], parameters = [] } = operation
  const isOrganisers = security.length === 1
  const needsToken = parameters.some(({ name }) => name === 'purchase-token')
  return {
    ...(security.length === 0 ? {} : { token: isOrganisers ? app.organiserKey : buyer.token }),
    ...(needsToken ? { headers: { 'purchase-token': purchaseToken } } : {}),
  }
}

function rightPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'sale' ? saleId : (strangers[name] ?? '')))
}

/** A file instead of JSON. */
function takesBytes({ requestBody }: Operation): boolean {
  return requestBody !== undefined && requestBody.content['application/json'] === undefined
}

const calls = operations.map(({ method, path, operation }) => {
  const example = bodies[`${method} ${path}`]?.[0]
  const body = example === undefined ? {} : { body: example }
  const bytes = { body: new Uint8Array(9), headers: { 'content-type': 'image/png' } }
  const right = { ...rightOptions(operation), ...(takesBytes(operation) ? bytes : body) }
  return { method, path, operation, right }
})

t.test('there is an example for each call that takes a body', (t) => {
  const taking = operations.filter(({ operation }) => operation.requestBody && !takesBytes(operation))
  t.same(
    taking.map(({ method, path }) => `${method} ${path}`).toSorted((a, b) => a.localeCompare(b)),
    Object.keys(bodies).toSorted((a, b) => a.localeCompare(b)),
  )
  t.ok(operations.length > 20)
  t.end()
})

t.test(
  'each member of a body that is left out, of another type, or too large is named, and nothing happens',
  async (t) => {
    for (const { method, path, operation, right } of calls) {
      const schema = operation.requestBody?.content['application/json']?.schema
      if (schema === undefined) continue
      const shape = app.contract.shapeOf(schema)
      const before = await takePicture(app)
      let tried = 0
      for (const example of bodies[`${method} ${path}`] ?? []) {
        t.ok(shape.safeParse(example).success, `the example of ${method} ${path} is right`)
        for (const { name, value } of mutationsOf(example)) {
          if (shape.safeParse(value).success) continue
          tried++
          const { body } = await app.call(method, rightPath(path), { ...right, body: value })
          const isNamed = body['code'] === 'invalid_request' && (at(body, 'errors') as unknown[]).length > 0
          // U+0000 and lone surrogates are refused before the shape is looked at.
          if (!isNamed && body['code'] !== 'malformed_json')
            t.fail(`${method} ${path}: ${name} → ${String(body['code'])}`)
        }
      }
      t.ok(tried >= 15, `${method} ${path}: ${tried} tried`)
      t.same(await takePicture(app), before, `${method} ${path}: nothing happened`)
    }
  },
)

t.test('a body that is no JSON, no text, of another type or too large is refused', async (t) => {
  const json = { 'content-type': 'application/json' }
  const bad: [string, CallOptions, string][] = [
    ['cut off', { body: '{"a":' }, 'malformed_json'],
    ['no text', { body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]) }, 'malformed_json'],
    ['nested deeply', { body: '['.repeat(30_000) }, 'malformed_json'],
    ['a comment', { body: '{} // no' }, 'malformed_json'],
    ['NaN', { body: '{"a": NaN}' }, 'malformed_json'],
    [
      'a form',
      { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      'unsupported_media_type',
    ],
    ['text', { body: '{}', headers: { 'content-type': 'text/plain' } }, 'unsupported_media_type'],
    ['huge', { body: `{"a":"${'x'.repeat(300_000)}"}` }, 'body_too_large'],
  ]
  const before = await takePicture(app)
  for (const { method, path, operation, right } of calls) {
    if (operation.requestBody === undefined || takesBytes(operation)) continue
    for (const [name, options, code] of bad) {
      const headers = { ...json, ...right.headers, ...options.headers }
      const answer = await app.call(method, rightPath(path), { ...right, ...options, headers })
      t.equal(answer.body['code'], code, `${method} ${path}: ${name}`)
    }
  }
  t.same(await takePicture(app), before)
})

t.test('an id that names nothing, or is none, is not found', async (t) => {
  const nonsense = [
    'nope',
    'x'.repeat(2000),
    "'%20or%201=1%20--",
    '%F0%9F%8E%AB',
    '%2e%2e%2f',
    '%00',
    'sal_',
    'null',
  ]
  const before = await takePicture(app)
  for (const { method, path, right } of calls) {
    const [, name] = /\{(\w+)\}/.exec(path) ?? []
    if (name === undefined) continue
    for (const id of [strangers[name] ?? '', ...nonsense]) {
      const { status, body } = await app.call(method, path.replace(`{${name}}`, id), right)
      const codes = {
        sale: 'no_such_sale',
        hold: 'hold_gone',
        order: 'no_such_order',
        booking: 'no_such_booking',
        store: 'no_such_store',
        picture: 'no_such_picture',
      }
      const expected = [
        codes[name as keyof typeof codes],
        'no_such_route',
        'invalid_request',
        'malformed_url',
      ]
      t.ok(
        expected.includes(String(body['code'])),
        `${method} ${path} with ${id.slice(0, 30)}: ${status} ${String(body['code'])}`,
      )
    }
    const broken = await app.call(method, path.replace(`{${name}}`, '%zz'), right)
    t.equal(broken.body['code'], 'malformed_url', `${method} ${path} with a broken escape`)
  }
  t.same(await takePicture(app), before)
})

t.test('parameters of a query that are wrong are named', async (t) => {
  const bad: Readonly<Record<string, readonly string[]>> = {
    limit: ['0', '-1', '1.5', 'x', '1e9', '', '9'.repeat(400)],
    cursor: ['x'.repeat(201)],
    status: ['draft', 'OPEN', '', 'x'.repeat(500)],
    kind: ['seat', '[]'],
    q: ['', 'x'.repeat(101), '%1b'],
    from: ['', 'tomorrow', '2030-01-01', '1e9'],
    to: ['', '2030-02-30T00:00:00Z'],
    category: ['', 'cars', 'FOOD'],
    place: ['', 'x'.repeat(101), '%1b'],
    near: ['', '37.5', '91,0', '0,181', '37.5,127,1', 'NaN,0', '1'.repeat(400)],
    within: ['100', '0', '-1', '100001', 'x'],
    sort: ['distance', '', 'name'],
    alt: ['', 'x'.repeat(201), '%1b'],
    watch: ['x'.repeat(1401), 'A-01-01,'.repeat(20)],
  }
  for (const { method, path, operation, right } of calls) {
    for (const { name } of (operation.parameters ?? []).filter((parameter) => parameter.in === 'query')) {
      t.ok(bad[name], `${name} of ${path} is tried`)
      // An organiser may ask for drafts.
      const isTheirs = path.includes('/organiser/')
      for (const value of (bad[name] ?? []).filter((text) => !isTheirs || text !== 'draft')) {
        const { body } = await app.call(method, `${rightPath(path)}?${name}=${value}`, right)
        t.equal(body['code'], 'invalid_request', `${path}?${name}=${value.slice(0, 20)}`)
      }
      for (const value of ['a', '0', '%00', 'AAAA', '%ff', 'bnVsbA', 'W10', 'eyJhIjoxfQ', '%F0%9F%8E%AB']) {
        const { status } = await app.call(method, `${rightPath(path)}?${name}=${value}`, right)
        t.ok(status < 500, `${path}?${name}=${value}`)
      }
    }
  }
})

t.test('whoever may not make a call is told so', async (t) => {
  const before = await takePicture(app)
  for (const { method, path, operation, right } of calls) {
    const { security = [] } = operation
    if (security.length === 0) continue
    const { token: _, ...bare } = right
    const url = rightPath(path)
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      'Bearer x.y.z',
      `Basic ${buyer.token}`,
      buyer.token,
      `Bearer ${'x'.repeat(5000)}`,
      'Bearer orgkey_',
      `Bearer orgkey_${'A'.repeat(43)}`,
      `Bearer ${purchaseToken}`,
    ]) {
      const { body } = await app.call(method, url, { ...bare, headers: { ...bare.headers, authorization } })
      t.equal(body['code'], 'unauthenticated', `${method} ${path} with ${authorization.slice(0, 20)}`)
    }
    if (forBoth.has(`${method} ${path}`)) continue
    const other = right.token === buyer.token ? app.organiserKey : buyer.token
    const { body } = await app.call(method, url, { ...right, token: other })
    t.equal(body['code'], 'forbidden', `${method} ${path} as somebody of the other kind`)
  }
  t.same(await takePicture(app), before)
})
