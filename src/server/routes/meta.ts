import { createHash } from 'node:crypto'
import type { Registry } from 'prom-client'
import { z } from 'zod'
import { defineRoute, type Route } from '../route.ts'

/** What the server says about itself to programs: its API and its figures. */
export function metaRoutes(options: {
  readonly openApi: () => object
  readonly asyncApi: () => object
  readonly registry: Registry
}): readonly Route[] {
  const openApi = described({
    path: '/openapi.json',
    summary: 'This API as an OpenAPI 3.1 document',
    schema: z.looseObject({ openapi: z.string() }),
    read: options.openApi,
  })
  const asyncApi = described({
    path: '/asyncapi.json',
    summary: 'What flows over the WebSocket and in event streams, as an AsyncAPI 3.0 document',
    schema: z.looseObject({ asyncapi: z.string() }),
    read: options.asyncApi,
  })
  const metrics = defineRoute({
    method: 'GET',
    path: '/metrics',
    summary: 'Figures of this process for Prometheus',
    tag: 'Operation',
    auth: 'public',
    always: true,
    responses: { 200: { description: 'Figures in the text format', contentType: 'text/plain' } },
    handle: async () => {
      const body = await options.registry.metrics()
      return { status: 200, body, contentType: options.registry.contentType }
    },
  })
  return [openApi, asyncApi, metrics]
}

/** A document that the server writes of itself when it is first asked for. */
function described(document: {
  readonly path: string
  readonly summary: string
  readonly schema: z.ZodType
  readonly read: () => object
}): Route {
  const { path, summary, schema, read } = document
  let written: { readonly body: string; readonly etag: string } | undefined
  return defineRoute({
    method: 'GET',
    path,
    summary,
    tag: 'Operation',
    auth: 'public',
    responses: { 200: { description: 'The document', schema }, 304: { description: 'As you have it' } },
    handle: () => {
      written ??= tagged(JSON.stringify(read()))
      const { body, etag } = written
      const headers = { etag, 'cache-control': 'no-cache' }
      return { status: 200, body, contentType: 'application/json; charset=utf-8', headers }
    },
  })
}

function tagged(body: string): { readonly body: string; readonly etag: string } {
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
}
