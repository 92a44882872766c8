import t from 'tap'
import { startEdge } from '../../test/support/edge.ts'
import { bare } from '../../test/support/edge-routes.ts'
import { generalErrors, Problem } from '../errors.ts'
import { defineRoute, type Auth, type Method } from './route.ts'
import { setSessionCookie } from './session.ts'

function who(auth: Auth, method: Method = 'GET') {
  return defineRoute({
    ...bare,
    method,
    path: `/${auth}`,
    auth,
    handle: ({ caller }) => ({ status: 200, body: { caller: caller ?? null } }),
  })
}

const all: readonly Auth[] = ['public', 'account', 'organiser', 'any']
const routes = all.flatMap((auth) => [who(auth), who(auth, 'POST')])

const account = { kind: 'account', accountId: 'usr_1', accountKind: 'guest' }
const organiser = { kind: 'organiser', organiserId: 'org_1' }

t.test('each endpoint takes the callers it is for', async (t) => {
  const { url } = await startEdge(t, { routes })
  const ask = async (path: string, authorization?: string) => {
    const response = await fetch(
      `${url}/${path}`,
      authorization === undefined ? {} : { headers: { authorization } },
    )
    const { caller, code } = (await response.json()) as Record<string, unknown>
    return { status: response.status, ...(response.ok ? { caller } : { code }) }
  }
  const needed = { status: 401, code: 'unauthenticated' }
  const denied = { status: 403, code: 'forbidden' }
  t.same(await ask('public'), { status: 200, caller: null })
  t.same(await ask('public', 'Bearer account-1'), { status: 200, caller: account })
  t.same(await ask('account', 'bearer  account-1'), { status: 200, caller: account })
  t.same(await ask('organiser', 'Bearer organiser-1'), { status: 200, caller: organiser })
  t.same(await ask('any', 'Bearer organiser-1'), { status: 200, caller: organiser })
  t.same(await ask('account', 'Bearer organiser-1'), denied)
  t.same(await ask('organiser', 'Bearer account-1'), denied)
  for (const path of ['account', 'organiser', 'any']) t.same(await ask(path), needed, path)
  for (const wrong of ['Bearer x', 'Basic YTpi', 'Bearer', 'Bearer a b', 'Bearer account-1,']) {
    t.same(await ask('any', wrong), needed, wrong)
    t.same(await ask('public', wrong), needed, wrong)
  }
})

t.test('a refused caller is told how to authenticate', async (t) => {
  const { url } = await startEdge(t, { routes })
  t.equal((await fetch(`${url}/account`)).headers.get('www-authenticate'), 'Bearer')
})

t.test('the session cookie stands for a token, and a Bearer token wins over it', async (t) => {
  const { url } = await startEdge(t, { routes })
  const ask = async (path: string, headers: Record<string, string>) => {
    const response = await fetch(`${url}/${path}`, { headers })
    return response.ok ? ((await response.json()) as { caller: unknown }).caller : response.status
  }
  t.same(await ask('account', { cookie: 'a=b; openrun_session=account-1; c=d' }), account)
  t.same(
    await ask('any', { cookie: 'openrun_session=account-1', authorization: 'Bearer organiser-1' }),
    organiser,
  )
  t.equal(await ask('any', { cookie: 'openrun_session=account-1', authorization: 'Bearer x' }), 401)
  for (const cookie of [
    'openrun_sessions=account-1',
    'openrun_session',
    'openrun_session=',
    'x=openrun_session=account-1',
  ]) {
    t.equal(await ask('account', { cookie }), 401, cookie)
  }
  t.equal(await ask('account', { cookie: 'openrun_session=stale' }), 401)
  t.equal(await ask('public', { cookie: 'openrun_session=stale' }), null)
})

t.test('behind TLS only the cookie that is bound to this host counts', async (t) => {
  const { url } = await startEdge(t, { routes, options: { port: 0, secureCookies: true } })
  const ask = async (cookie: string) => (await fetch(`${url}/account`, { headers: { cookie } })).status
  t.equal(await ask('openrun_session=account-1'), 401)
  t.equal(await ask('__Host-openrun_session=account-1'), 200)
})

t.test(
  'a request that changes something is refused when it comes from a page of another origin',
  async (t) => {
    const options = {
      port: 0,
      allowedOrigins: ['https://shop.example'],
      publicUrl: 'https://tickets.example/app',
    }
    const { url } = await startEdge(t, { routes, options })
    const cookie = 'openrun_session=account-1'
    const ask = async (method: string, path: string, headers: Record<string, string>) => {
      const response = await fetch(`${url}/${path}`, { method, headers })
      return response.ok ? response.status : ((await response.json()) as { code: string }).code
    }
    t.equal(await ask('POST', 'account', { cookie }), 'foreign_origin')
    t.equal(await ask('POST', 'account', { cookie, origin: 'https://evil.example' }), 'foreign_origin')
    t.equal(await ask('POST', 'account', { cookie, origin: 'null' }), 'foreign_origin')
    t.equal(await ask('POST', 'account', { cookie, origin: `${url}.evil.example` }), 'foreign_origin')
    for (const origin of [url, 'https://shop.example', 'https://tickets.example']) {
      t.equal(await ask('POST', 'account', { cookie, origin }), 200, origin)
    }
    t.equal(await ask('GET', 'account', { cookie, origin: 'https://evil.example' }), 200)
    t.equal(await ask('POST', 'public', {}), 200)
    t.equal(await ask('POST', 'public', { origin: 'https://evil.example' }), 'foreign_origin')
    t.equal(
      await ask('POST', 'account', { authorization: 'Bearer account-1', origin: 'https://evil.example' }),
      200,
    )
  },
)

t.test('an authenticator that fails is not mistaken for a wrong token', async (t) => {
  const authenticate = async () => {
    await Promise.resolve()
    throw new Problem(generalErrors.unavailable, { cause: new Error('no store') })
  }
  const { url } = await startEdge(t, { routes, authenticator: { authenticate } })
  for (const headers of [{ authorization: 'Bearer a' }, { cookie: 'openrun_session=a' }]) {
    const response = await fetch(`${url}/public`, { headers })
    t.equal(response.status, 503)
    t.equal(response.headers.get('retry-after'), '1')
    t.notMatch(await response.text(), /no store/)
  }
})

t.test('the cookie is out of reach for scripts and other hosts', async (t) => {
  const given = { accessToken: 'abc.def', maxAgeSeconds: 60.5 }
  t.equal(
    setSessionCookie({ ...given, secure: false }),
    'openrun_session=abc.def; Path=/; HttpOnly; SameSite=Lax; Max-Age=60',
  )
  t.equal(
    setSessionCookie({ ...given, secure: true }),
    '__Host-openrun_session=abc.def; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure',
  )
})
