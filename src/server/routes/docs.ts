import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ErrorDefinition } from '../../errors.ts'
import { defineRoute, type Reply, type Route } from '../route.ts'

/**
 * The API for people to read and try. Everything comes from this server and no script stands in a page, so that the
 * strictest content policy holds.
 */
export function docsRoutes(options: {
  readonly version: string
  readonly errors: readonly ErrorDefinition[]
}): readonly Route[] {
  const errors = errorsPage(options.errors)
  const files: readonly { readonly name: string; readonly contentType: string }[] = [
    { name: 'swagger-ui.css', contentType: 'text/css; charset=utf-8' },
    { name: 'swagger-ui-bundle.js', contentType: 'text/javascript; charset=utf-8' },
    { name: 'favicon-32x32.png', contentType: 'image/png' },
  ]
  return [
    asset('/docs', () => page(docsPage)),
    asset('/docs/errors', () => page(errors)),
    asset('/docs/start.js', () => ({
      status: 200,
      body: startScript,
      contentType: 'text/javascript; charset=utf-8',
    })),
    ...files.map(({ name, contentType }) =>
      asset(`/docs/${name}`, () => packaged(name, contentType, options.version)),
    ),
  ]
}

const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
const loaded = new Map<string, Promise<Buffer>>()

async function packaged(name: string, contentType: string, version: string): Promise<Reply> {
  const body = loaded.get(name) ?? readFile(join(folder, name))
  loaded.set(name, body)
  const headers = { 'cache-control': 'public, max-age=3600', etag: `"${version}-${name}"` }
  return { status: 200, body: await body, contentType, headers }
}

function asset(path: string, handle: () => Reply | Promise<Reply>): Route {
  return defineRoute({
    method: 'GET',
    path,
    summary: 'The API for people to read',
    tag: 'Operation',
    auth: 'public',
    hidden: true,
    responses: { 200: { description: 'A page or a part of it' } },
    handle,
  })
}

const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

function page(body: string): Reply {
  const headers = { 'content-security-policy': contentPolicy, 'cache-control': 'no-cache' }
  return { status: 200, body, contentType: 'text/html; charset=utf-8', headers }
}

const docsPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Openrun API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="api"></div>
<noscript>The description of this API is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`

const startScript = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null })
`

function errorsPage(errors: readonly ErrorDefinition[]): string {
  const rows = errors
    .toSorted((a, b) => a.code.localeCompare(b.code))
    .map(({ code, status, title, advice, retryable }) => {
      const again = retryable ? 'The same request may succeed later.' : ''
      return `<dt id="${escape(code)}"><code>${escape(code)}</code> (${status})</dt>
<dd>${escape(title)}. ${escape(advice)} ${again}</dd>`
    })
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Openrun errors</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<h1>Errors</h1>
<dl>
${rows.join('\n')}
</dl>
</html>
`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
