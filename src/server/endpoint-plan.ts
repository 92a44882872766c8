import type { EndpointMeter } from './http-metrics.ts'
import type { Endpoint } from './route.ts'

/** What the adapter works out once for an endpoint, so that a request costs no more than it must. */
export interface EndpointPlan {
  readonly endpoint: Endpoint
  /** Method and path as declared; how logs, metrics and idempotency keys name the endpoint. */
  readonly label: string
  /** The path in the notation of the web server. */
  readonly pattern: string
  readonly parameterNames: readonly string[]
  readonly headerNames: readonly string[]
  /** Changes something, so a browser's request has to show whose page made it. */
  readonly isUnsafe: boolean
  readonly isIdempotent: boolean
  readonly readsBody: boolean
  /** Types of a body that is taken as it is; undefined for JSON. */
  readonly bodyTypes: ReadonlySet<string> | undefined
  readonly bodyBytesMax: number
  readonly meter: EndpointMeter
}

export function planEndpoint(endpoint: Endpoint, meter: EndpointMeter, bodyBytesMax: number): EndpointPlan {
  const isRoute = endpoint.kind === 'route'
  const parameterNames = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
  const label = `${endpoint.method} ${endpoint.path}`
  const described = Object.keys(endpoint.params?.shape ?? {})
  if (described.toSorted().join() !== parameterNames.toSorted().join()) {
    throw new TypeError(`The schema of ${label} must describe the parameters of its path`)
  }
  if (isRoute && endpoint.idempotent === true && endpoint.bodyTypes !== undefined) {
    throw new TypeError(`${label} cannot be idempotent: only JSON is compared`)
  }
  return {
    endpoint,
    label,
    pattern: endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    parameterNames,
    headerNames: Object.keys(endpoint.headers?.shape ?? {}),
    isUnsafe: endpoint.method !== 'GET',
    isIdempotent: isRoute && endpoint.idempotent === true,
    readsBody: isRoute && endpoint.body !== undefined,
    bodyTypes: isRoute && endpoint.bodyTypes !== undefined ? new Set(endpoint.bodyTypes) : undefined,
    bodyBytesMax: (isRoute ? endpoint.bodyBytesMax : undefined) ?? bodyBytesMax,
    meter,
  }
}
