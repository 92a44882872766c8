import { accessTokenLifeMs, type AccessTokens } from '../../domain/accounts/access-token.ts'
import { guestAnswer, keySet } from '../../domain/accounts/account-messages.ts'
import type { AccountStore } from '../../domain/accounts/account-store.ts'
import type { SigningKeys } from '../../domain/accounts/signing-keys.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { limitKeyOf, type KeyedLimiter } from '../limits.ts'
import { defineRoute, type Route } from '../route.ts'
import { serverErrors } from '../server-errors.ts'
import { setSessionCookie } from '../session.ts'

export interface AuthRoutesParts {
  readonly accounts: Pick<AccountStore, 'createGuest'>
  readonly accessTokens: Pick<AccessTokens, 'issue'>
  readonly keys: Pick<SigningKeys, 'jwks'>
  /** Guests that one address may make. */
  readonly limiter: Pick<KeyedLimiter, 'take'>
  readonly secureCookies: boolean
}

export function authRoutes(parts: AuthRoutesParts): Route[] {
  return [guestRoute(parts), keysRoute(parts)]
}

const guestRoute = ({ accounts, accessTokens, limiter, secureCookies }: AuthRoutesParts) =>
  defineRoute({
    method: 'POST',
    path: '/api/v1/auth/guest',
    summary: 'Become a guest',
    description:
      'Makes an account of nothing but a click, and answers the token that speaks for it; a browser gets it as a cookie too. ' +
      'An address may make a few a minute; a call with an organiser key is not counted.',
    tag: 'Accounts',
    auth: 'public',
    responses: { 201: { description: 'The guest and its token', schema: guestAnswer } },
    errors: [serverErrors.too_many_requests, generalErrors.unavailable],
    async handle({ caller, address, newId }) {
      if (caller?.kind !== 'organiser') mustBeWithinLimit(limiter, address)
      const user = await accounts.createGuest(newId('usr'))
      const { token, expiresAtMs } = await accessTokens.issue({ accountId: user.id, accountKind: user.kind })
      const maxAgeSeconds = accessTokenLifeMs / 1000
      return {
        status: 201,
        body: { accessToken: token, expiresAt: new Date(expiresAtMs).toISOString(), user },
        headers: {
          'set-cookie': setSessionCookie({ accessToken: token, maxAgeSeconds, secure: secureCookies }),
        },
      }
    },
  })

const keysRoute = ({ keys }: AuthRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'The public keys that verify tokens and tickets',
    description: 'A new key stands here for two minutes before anything is signed with it.',
    tag: 'Accounts',
    auth: 'public',
    responses: { 200: { description: 'A JSON Web Key Set', schema: keySet } },
    handle: () => ({ status: 200, body: keys.jwks(), headers: { 'cache-control': 'public, max-age=60' } }),
  })

function mustBeWithinLimit(limiter: Pick<KeyedLimiter, 'take'>, address: string): void {
  const retryAfterSeconds = limiter.take(limitKeyOf(address))
  if (retryAfterSeconds > 0) throw new Problem(serverErrors.too_many_requests, { retryAfterSeconds })
}
