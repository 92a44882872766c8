import { z } from 'zod'
import { conditionTexts, type Conditions } from '../../streams/conditions.ts'
import { defineRoute, type Route } from '../route.ts'

/** For whoever watches over the process: does it live, and may it be sent requests? */
export function healthRoutes(options: {
  readonly conditions: Conditions
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
    summary: 'The process can be sent requests, and what is not as it should be',
    description:
      'A store that is away is so for all processes: taking them out of service would take away what they still can do. So only a process that is about to stop answers 503.',
    tag: 'Operation',
    auth: 'public',
    always: true,
    responses: {
      200: { description: 'It can', schema: readiness },
      503: { description: 'It is about to stop', schema: readiness },
    },
    handle: () => {
      const conditions = options.conditions.holding.map(({ name, sinceMs }) => {
        const { means, advice } = conditionTexts[name]
        return { name, since: new Date(sinceMs).toISOString(), means, advice }
      })
      if (options.isDraining()) return { status: 503, body: { status: 'draining', conditions } }
      return { status: 200, body: { status: conditions.length === 0 ? 'ready' : 'degraded', conditions } }
    },
  })
  return [healthz, readyz]
}

const readiness = z.object({
  status: z
    .enum(['ready', 'degraded', 'draining'])
    .describe('`degraded`: it works as far as that is possible; `conditions` say what is missing.'),
  conditions: z.array(
    z.object({
      name: z.enum(Object.keys(conditionTexts) as (keyof typeof conditionTexts)[]),
      since: z.iso.datetime({ offset: true }),
      means: z.string(),
      advice: z.string(),
    }),
  ),
})
