import type { HttpRequest } from 'uWebSockets.js'
import { Problem } from '../errors.ts'
import { planEndpoint, type EndpointPlan } from './endpoint-plan.ts'
import type { Exchange } from './exchange.ts'
import type { HttpMetrics } from './http-metrics.ts'
import type { Reply, Route } from './route.ts'
import { serverErrors } from './server-errors.ts'
import type { StaticFiles } from './static-files.ts'

/** The plan of a request that is refused before anything else is looked at. */
export interface RefusalPlan extends EndpointPlan {
  readonly refusal: (exchange: Exchange) => void
}

export interface RestPlans {
  readonly preflight: EndpointPlan
  readonly refusal: RefusalPlan
}

/** The answers to methods that an address does not know: OPTIONS, and 405 for all others. */
export function restOf(allow: string, metrics: HttpMetrics): RestPlans {
  const reply = (): Reply => ({ status: 204, headers: { ...preflightHeaders, allow } })
  const preflight: Route = { ...bareRoute, handle: reply }
  return {
    preflight: planEndpoint(preflight, metrics.meter('OPTIONS', '*'), 0),
    refusal: refusalPlan(() => new Problem(serverErrors.method_not_allowed), metrics, { allow }),
  }
}

/** What is served where no endpoint has the path: a file, or the word that there is nothing. */
export function behindEndpoints(
  files: StaticFiles,
  metrics: HttpMetrics,
): (req: HttpRequest) => EndpointPlan & Partial<RefusalPlan> {
  const meter = metrics.meter('GET', '/*')
  const { preflight, refusal } = restOf('GET, HEAD, OPTIONS', metrics)
  const unknown = refusalPlan(() => new Problem(serverErrors.no_such_route), metrics)
  return (req) => {
    const file = files.find(req.getUrl())
    if (!file) return unknown
    const method = req.getMethod()
    if (method === 'get' || method === 'head') return planEndpoint(file, meter, 0)
    return method === 'options' ? preflight : refusal
  }
}

function refusalPlan(problem: () => Problem, metrics: HttpMetrics, headers?: Reply['headers']): RefusalPlan {
  const refuse: Route = { ...bareRoute, handle: () => ({ status: 500 }) }
  const plan = planEndpoint(refuse, metrics.meter('other', 'unmatched'), 0)
  return { ...plan, refusal: (exchange) => exchange.fail(problem(), headers) }
}

const bareRoute = {
  kind: 'route',
  method: 'GET',
  path: '*',
  summary: '',
  tag: '',
  auth: 'public',
  responses: {},
  always: true,
} as const

const preflightHeaders = {
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers':
    'Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Purchase-Token, Traceparent',
  'access-control-max-age': '600',
}
