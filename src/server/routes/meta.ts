import { createHash } from 'node:crypto'
import type { Registry } from 'prom-client'
import { z } from 'zod'
import { defineRoute, type Route } from '../route.ts'

/** What the server says about itself to programs: its API and its figures. */
export function metaRoutes(options: {
  readonly openApi: () => object
  readonly registry: Registry
}): readonly Route[] {
  let described: { readonly body: string; readonly etag: string } | undefined
  const openApi = defineRoute({
    method: 'GET',
    path: '/openapi.json',
    summary: 'This API as an OpenAPI 3.1 document',
    tag: 'Operation',
    auth: 'public',
    responses: {
      200: { description: 'The document', schema: z.looseObject({ openapi: z.string() }) },
      304: { description: 'As you have it' },
    },
    handle: () => {
      described ??= tagged(JSON.stringify(options.openApi()))
      const { body, etag } = described
      const headers = { etag, 'cache-control': 'no-cache' }
      return { status: 200, body, contentType: 'application/json; charset=utf-8', headers }
    },
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
  return [openApi, metrics]
}

function tagged(body: string): { readonly body: string; readonly etag: string } {
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
}
