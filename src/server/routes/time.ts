import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import { defineRoute, type Route } from '../route.ts'

/** The server's clock, by which pages count down: those of buyers go minutes wrong. */
export function timeRoute(clock: Clock): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/v1/time',
    summary: 'What time it is here',
    description:
      'Half of what the request took lies between the time told and its arrival: ask more than once and believe the quickest.',
    tag: 'Operation',
    auth: 'nobody',
    responses: {
      200: { description: 'Now, to the millisecond', schema: z.object({ now: z.iso.datetime() }) },
    },
    handle: () => ({ status: 200, body: { now: new Date(clock.nowMs()).toISOString() } }),
  })
}
