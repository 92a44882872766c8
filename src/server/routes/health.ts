import { z } from 'zod'
import type { ReadyChecks } from '../ready-checks.ts'
import { defineRoute, type Route } from '../route.ts'

/** For whoever watches over the process: does it live, and may it be sent requests? */
export function healthRoutes(options: {
  readonly checks: ReadyChecks
  readonly isDraining: () => boolean
}): readonly Route[] {
  const healthz = defineRoute({
    method: 'GET',
    path: '/healthz',
    summary: 'The process lives',
    tag: 'Operation',
    auth: 'public',
    always: true,
    responses: { 200: { description: 'It does', schema: z.object({ status: z.literal('ok') }) } },
    handle: () => ({ status: 200, body: { status: 'ok' } }),
  })
  const readyz = defineRoute({
    method: 'GET',
    path: '/readyz',
    summary: 'The process can be sent requests',
    tag: 'Operation',
    auth: 'public',
    always: true,
    responses: {
      200: { description: 'It can', schema: readiness },
      503: { description: 'It cannot: a store is out of reach, or it is about to stop', schema: readiness },
    },
    handle: async () => {
      if (options.isDraining()) return { status: 503, body: { status: 'draining', checks: {} } }
      const { isReady, checks } = await options.checks.report()
      return { status: isReady ? 200 : 503, body: { status: isReady ? 'ready' : 'not-ready', checks } }
    },
  })
  return [healthz, readyz]
}

const readiness = z.object({
  status: z.enum(['ready', 'not-ready', 'draining']),
  checks: z.record(z.string(), z.enum(['ok', 'failed'])),
})
