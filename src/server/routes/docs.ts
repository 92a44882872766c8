import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ErrorDefinition } from '../../errors.ts'
import type { StaticFile } from '../static-files.ts'

/**
 * The API for people to read and try. Everything comes from this server and no script stands in a page, so that the
 * strictest content policy holds.
 */
export function docsFiles(errors: readonly ErrorDefinition[]): readonly StaticFile[] {
  return [
    { path: '/docs', contentType: html, content: Buffer.from(docsPage) },
    { path: '/docs/errors', contentType: html, content: Buffer.from(errorsPage(errors)) },
    { path: '/docs/start.js', contentType: script, content: Buffer.from(startScript) },
    ...packaged(),
  ]
}

const html = 'text/html; charset=utf-8'
const script = 'text/javascript; charset=utf-8'

let loaded: readonly StaticFile[] | undefined

/** The bundle is large, and the same for every server of a process. */
function packaged(): readonly StaticFile[] {
  loaded ??= [
    packagedFile('swagger-ui.css', 'text/css; charset=utf-8'),
    packagedFile('swagger-ui-bundle.js', script),
    packagedFile('favicon-32x32.png', 'image/png'),
  ]
  return loaded
}

function packagedFile(name: string, contentType: string): StaticFile {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  return { path: `/docs/${name}`, contentType, content: readFileSync(join(folder, name)) }
}

const docsPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Openrun API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="api"></div>
<noscript>The description of this API is at <a href="/openapi.json">/openapi.json</a>, that of its live events at
<a href="/asyncapi.json">/asyncapi.json</a>.</noscript>
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
