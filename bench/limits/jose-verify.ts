import { createHistogram, performance } from 'node:perf_hooks'
import { createLocalJWKSet, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { serveParent } from '../stage/helper-process.ts'
import type { JoseVerifyCalls, VerifiedTokens } from './jose-verify-calls.ts'

/*
 * Access tokens verified with jose and nothing else: the same demands as our server has, no request, no line, no
 * memory of what was verified.
 */

/** Under way at once; more of them verified no more in a second, from 16 to 256. */
const atOnce = 64

let known: { keys: JWTVerifyGetKey; issuer: string } | undefined

async function verifyAll({ tokens, seconds }: JoseVerifyCalls['verify']['asked']): Promise<VerifiedTokens> {
  if (known === undefined) throw new Error('the keys are not known')
  const { keys, issuer } = known
  const histogram = createHistogram()
  let [next, accounts] = [0, 0]
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  const keepBusy = async (): Promise<void> => {
    for (let beginMs = performance.now(); beginMs < endMs;) {
      const token = tokens[next++]
      if (token === undefined) return
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer,
        requiredClaims: ['iat', 'exp'],
      })
      if (payload.sub !== undefined) accounts += 1
      const nowMs = performance.now()
      histogram.record(Math.max(1, Math.round((nowMs - beginMs) * 1000)))
      beginMs = nowMs
    }
  }
  await Promise.all(Array.from({ length: atOnce }, keepBusy))
  return {
    perSecond: (histogram.count * 1000) / (performance.now() - startMs),
    p50Ms: histogram.percentile(50) / 1000,
    p99Ms: histogram.percentile(99) / 1000,
    done: histogram.count,
    accounts,
  }
}

serveParent<JoseVerifyCalls>({
  know: async ({ jwks, issuer }) => {
    known = { keys: createLocalJWKSet(jwks), issuer }
    return undefined
  },
  verify: verifyAll,
})
