import t from 'tap'
import { z } from 'zod'
import { startEdge } from '../../test/support/edge.ts'
import { bare } from '../../test/support/edge-routes.ts'
import { generalErrors, Problem } from '../errors.ts'
import type { IdempotencyState, IdempotencyStore, IdempotentRequest } from './idempotency.ts'
import { defineRoute, type Reply, type RequestContext } from './route.ts'

interface Kept {
  readonly fingerprint: string
  answer?: { readonly status: number; readonly body: unknown }
}

class MemoryStore implements IdempotencyStore {
  readonly kept = new Map<string, Kept>()
  isBroken = false

  async begin(request: IdempotentRequest): Promise<IdempotencyState> {
    const kept = this.kept.get(nameOf(request))
    if (!kept) {
      this.kept.set(nameOf(request), { fingerprint: request.fingerprint })
      return { state: 'new' }
    }
    if (kept.fingerprint !== request.fingerprint) return { state: 'mismatch' }
    return kept.answer ? { state: 'done', ...kept.answer } : { state: 'running' }
  }

  async finish(request: IdempotentRequest, answer: { status: number; body: unknown }): Promise<void> {
    if (this.isBroken) throw new Error('no store')
    this.kept.set(nameOf(request), { fingerprint: request.fingerprint, answer })
  }

  async abandon(request: IdempotentRequest): Promise<void> {
    this.kept.delete(nameOf(request))
  }
}

function nameOf({ callerId, route, key }: IdempotentRequest): string {
  return JSON.stringify([callerId, route, key])
}

function orders(handle: (ctx: RequestContext) => Promise<Reply> | Reply) {
  return defineRoute({
    ...bare,
    method: 'POST',
    path: '/orders/{kind}',
    auth: 'account',
    params: z.object({ kind: z.string() }),
    body: z.object({ hold: z.string() }),
    idempotent: true,
    handle,
  })
}

interface Sent {
  readonly key?: string
  readonly hold?: string
  readonly token?: string
  readonly kind?: string
}

function sender(url: string) {
  return async ({ key, hold = 'a', token = 'account-1', kind = 'x' }: Sent) => {
    const idempotencyKey = key === undefined ? {} : { 'idempotency-key': key }
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      ...idempotencyKey,
    }
    const response = await fetch(`${url}/orders/${kind}`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ hold }),
    })
    const body = (await response.json()) as Record<string, unknown>
    return { status: response.status, body, headers: response.headers }
  }
}

t.test('the same key and request get the first answer again, and another key another one', async (t) => {
  let made = 0
  const route = orders((ctx) => ({ status: 201, body: { id: ctx.newId('ord'), made: ++made } }))
  const { url } = await startEdge(t, { routes: [route], idempotency: new MemoryStore() })
  const send = sender(url)
  const first = await send({ key: 'k1' })
  const again = await send({ key: 'k1' })
  t.same(again.body, first.body)
  t.equal(again.status, 201)
  t.equal(first.headers.get('idempotency-replayed'), null)
  t.equal(again.headers.get('idempotency-replayed'), 'true')
  for (const other of [{ key: 'k2' }, { key: 'k1', token: 'account-2' }, {}, {}]) {
    const { body } = await send(other)
    t.not(body['id'], first.body['id'])
  }
  t.equal(made, 5)
})

t.test('a key that comes again with another body or address is refused', async (t) => {
  const route = orders(() => ({ status: 201, body: {} }))
  const { url } = await startEdge(t, { routes: [route], idempotency: new MemoryStore() })
  const send = sender(url)
  await send({ key: 'k' })
  t.match(await send({ key: 'k', hold: 'b' }), { status: 422, body: { code: 'idempotency_key_reused' } })
  t.match(await send({ key: 'k', kind: 'y' }), { status: 422, body: { code: 'idempotency_key_reused' } })
})

t.test('a second request while the first runs is told to wait', async (t) => {
  const started = deferred<() => void>()
  const route = orders(
    () => new Promise<Reply>((resolve) => started.resolve(() => resolve({ status: 201, body: { a: 1 } }))),
  )
  const { url } = await startEdge(t, { routes: [route], idempotency: new MemoryStore() })
  const send = sender(url)
  const first = send({ key: 'k' })
  const finish = await started.promise
  const second = await send({ key: 'k' })
  t.match(second, { status: 409, body: { code: 'in_progress', retryable: true } })
  t.equal(second.headers.get('retry-after'), '1')
  finish()
  t.match(await first, { status: 201, body: { a: 1 } })
  t.match(await send({ key: 'k' }), { status: 201, body: { a: 1 } })
})

t.test('a failure is not kept: the same request may be tried again, and names the same thing', async (t) => {
  const ids: string[] = []
  const answers: (() => Reply)[] = [
    () => {
      throw new Problem(generalErrors.unavailable)
    },
    () => {
      throw new Error('broken')
    },
    () => ({ status: 409, body: {} }),
    () => ({ status: 200, body: { ok: true } }),
  ]
  const route = orders((ctx) => {
    ids.push(ctx.newId('ord'))
    return answers.shift()?.() ?? { status: 500 }
  })
  const { url } = await startEdge(t, { routes: [route], idempotency: new MemoryStore() })
  const send = sender(url)
  const statuses: number[] = []
  for (let round = 0; round < 5; round++) statuses.push((await send({ key: 'k' })).status)
  t.same(statuses, [503, 500, 409, 200, 200])
  t.equal(ids.length, 4)
  t.equal(new Set(ids).size, 1)
})

t.test('an answer stands although it could not be kept, and the log says so', async (t) => {
  const store = new MemoryStore()
  store.isBroken = true
  const route = orders(() => ({ status: 201, body: { a: 1 } }))
  const { url, logged } = await startEdge(t, { routes: [route], idempotency: store })
  t.match(await sender(url)({ key: 'k' }), { status: 201, body: { a: 1 } })
  t.match(logged.at(-1), { msg: 'an answer could not be kept', err: { message: 'no store' } })
})

t.test('a key may have 255 characters and no more', async (t) => {
  const { url } = await startEdge(t, {
    routes: [orders(() => ({ status: 201, body: {} }))],
    idempotency: new MemoryStore(),
  })
  t.equal((await sender(url)({ key: 'k'.repeat(255) })).status, 201)
  const tooLong = await sender(url)({ key: 'k'.repeat(256) })
  t.match(tooLong, { status: 422, body: { code: 'invalid_request', errors: [{ field: 'idempotency-key' }] } })
})

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((done) => (resolve = done))
  return { promise, resolve }
}
