import { z } from 'zod'
import { defineRoute, type Reply, type RequestContext, type Route } from '../../src/server/route.ts'

/** What a route of a test leaves open. */
export const bare = { summary: '', tag: '', auth: 'public', responses: {} } as const

/** Answers with what it was asked. */
export const item = defineRoute({
  ...bare,
  method: 'GET',
  path: '/items/{item}',
  params: z.object({ item: z.string().max(20) }),
  query: z.object({ size: z.string().optional() }),
  headers: z.object({ 'x-colour': z.string().optional() }),
  handle: ({ params, query, headers }) => ({ status: 200, body: { ...params, ...query, ...headers } }),
})

/** Answers with the body it was sent. */
export const echo = defineRoute({
  ...bare,
  method: 'POST',
  path: '/echo',
  body: z.strictObject({ text: z.string(), more: z.array(z.int()).optional() }).optional(),
  handle: async ({ body }) => {
    await Promise.resolve()
    return { status: 201, body: { got: body ?? null } }
  },
})

export interface Paused {
  readonly ctx: RequestContext
  readonly finish: () => void
}

/** A route whose handler waits to be told. */
export function pausing(path: string): { readonly route: Route; readonly context: Promise<Paused> } {
  let tell: (paused: Paused) => void = () => undefined
  const context = new Promise<Paused>((resolve) => (tell = resolve))
  const handle = (ctx: RequestContext): Promise<Reply> =>
    new Promise((resolve) => tell({ ctx, finish: () => resolve({ status: 204 }) }))
  return { context, route: defineRoute({ ...bare, method: 'GET', path, handle }) }
}

/** The problem document of an answer. */
export async function problemOf(response: Response): Promise<Record<string, unknown>> {
  return { ...((await response.json()) as Record<string, unknown>), status: response.status }
}

export const json = { 'content-type': 'application/json' }

export function post(url: string, body: string, headers: Record<string, string> = json): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers })
}
