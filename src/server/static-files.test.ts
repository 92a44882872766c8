import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { RawClient, startEdge, type TestEdge } from '../../test/support/edge.ts'
import { StartError } from '../start-error.ts'

const sale = `<!doctype html><link rel="stylesheet" href="/styles.css"><a href="/orders">x</a>
<script type="module" src="/line/sale-page.js"></script>`
const pages: Readonly<Record<string, string>> = {
  'index.html': '<!doctype html><title>Sales</title>',
  'sale.html': sale,
  'styles.css': `body { color: red; background: url(/dot.svg) }${' '.repeat(2_000)}`,
  'dot.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'line/sale-page.js': `import { h } from '/vendor/preact.js'\nimport { a } from './a.js'\nh(a, '/orders')\n`,
  'line/a.js': 'export const a = "é"\n',
  'line/a.test.js': 'throw 1',
  'tsconfig.json': '{}',
  'README.md': 'secret',
  '.hidden.js': 'secret',
}

async function folderOf(t: Test, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'openrun-pages-'))
  t.teardown(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

async function served(t: Test, rereads = false): Promise<TestEdge & { readonly folder: string }> {
  const folder = await folderOf(t, pages)
  return { folder, ...(await startEdge(t, { pages: { folder, rereads } })) }
}

t.test('pages are found without an ending, everything else by its path', async (t) => {
  const { url } = await served(t)
  for (const [path, type, text] of [
    ['/', 'text/html; charset=utf-8', /Sales/],
    ['/?a=b', 'text/html; charset=utf-8', /Sales/],
    ['/sale', 'text/html; charset=utf-8', /stylesheet/],
    ['/styles.css', 'text/css; charset=utf-8', /red/],
    ['/dot.svg', 'image/svg+xml', /svg/],
    ['/line/a.js', 'text/javascript; charset=utf-8', /"é"/],
  ] as const) {
    const response = await fetch(url + path)
    t.equal(response.status, 200, path)
    t.equal(response.headers.get('content-type'), type)
    t.match(await response.text(), text)
  }
})

t.test('nothing else of the folder is served, and an unknown path is what it was', async (t) => {
  const { url, folder } = await served(t)
  await symlink('/etc/hostname', join(folder, 'link.txt'))
  const edge = await startEdge(t, { pages: { folder, rereads: false } })
  const hidden = ['/sale.html', '/index.html', '/sale/', '/line', '/line/', '/tsconfig.json', '/README.md']
  const rest = ['/.hidden.js', '/line/a.test.js', '/link.txt', '/SALE', '/%73ale', '//', '/nothing.js']
  for (const base of [url, edge.url]) {
    for (const path of [...hidden, ...rest]) {
      const response = await fetch(base + path)
      t.equal(response.status, 404, path)
      t.match(await response.json(), { code: 'no_such_route' })
    }
  }
})

t.test('whatever path is asked for, no file outside of the folder is read', async (t) => {
  const { port, url } = await served(t)
  const part = fc.oneof(
    fc.constantFrom('..', '.', '%2e%2e', '%2E.', '..%2f', '..%5c', '\\..', '%00', '~', 'line', 'vendor', ''),
    fc.constantFrom('etc', 'passwd', 'package.json', 'src', 'main.ts', 'README.md', '.hidden.js'),
    fc.stringMatching(/^[!-~]{0,12}$/),
  )
  const known = new Set([
    '/',
    '/sale',
    '/robots.txt',
    '/docs',
    '/healthz',
    '/readyz',
    '/metrics',
    '/openapi.json',
  ])
  const property = fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 8 }), async (parts) => {
    const path = `/${parts.join('/')}`.replaceAll(/[?#\s]/g, '')
    if (known.has(path)) return
    const client = new RawClient(t, port).send(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    await client.until('\r\n\r\n')
    const status = client.received.slice(9, 12)
    client.socket.destroy()
    if (!['404', '400'].includes(status)) throw new Error(`${path}: ${client.received}`)
  })
  await t.resolves(fc.assert(property, { numRuns: 300 }))
  t.equal((await fetch(`${url}/sale`)).status, 200)
})

t.test('only GET and HEAD are for files', async (t) => {
  const { url } = await served(t)
  const wrong = await fetch(`${url}/sale`, { method: 'POST' })
  t.equal(wrong.status, 405)
  t.equal(wrong.headers.get('allow'), 'GET, HEAD, OPTIONS')
  t.equal((await fetch(`${url}/sale`, { method: 'OPTIONS' })).status, 204)
  t.equal((await fetch(`${url}/nothing`, { method: 'OPTIONS' })).status, 404)
  const head = await fetch(`${url}/sale`, { method: 'HEAD', headers: { 'accept-encoding': 'identity' } })
  const whole = await fetch(`${url}/sale`, { headers: { 'accept-encoding': 'identity' } })
  t.equal(head.headers.get('content-length'), String((await whole.arrayBuffer()).byteLength))
  t.equal(head.headers.get('etag'), whole.headers.get('etag'))
  t.equal(await head.text(), '')
})

t.test('a file comes in the best form that the client reads, each with a tag of its own', async (t) => {
  const { url } = await served(t)
  // Unlike fetch this leaves the bytes as they came.
  const bytesOf = async (path: string, accepted: string) => {
    const request = get(url + path, { headers: { 'accept-encoding': accepted } })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return { headers: response.headers, body: Buffer.concat((await response.toArray()) as Buffer[]) }
  }
  const plain = await bytesOf('/styles.css', 'identity')
  const text = plain.body.toString()
  t.match(text, /^body/)
  t.equal(plain.headers['content-encoding'], undefined)
  const brotli = await bytesOf('/styles.css', 'gzip, deflate, br')
  t.equal(brotli.headers['content-encoding'], 'br')
  t.equal(brotliDecompressSync(brotli.body).toString(), text)
  const gzip = await bytesOf('/styles.css', 'gzip, br;q=0')
  t.equal(gzip.headers['content-encoding'], 'gzip')
  t.equal(gunzipSync(gzip.body).toString(), text)
  const tags = [plain, brotli, gzip].map(({ headers }) => headers.etag)
  t.equal(new Set(tags).size, 3)
  for (const { headers } of [plain, brotli, gzip]) t.equal(headers.vary, 'Accept-Encoding')
  const again = await fetch(`${url}/styles.css`, {
    headers: { 'accept-encoding': 'br', 'if-none-match': tags[1] ?? '' },
  })
  t.equal(again.status, 304)
  const other = await fetch(`${url}/styles.css`, {
    headers: { 'accept-encoding': 'gzip', 'if-none-match': tags[1] ?? '' },
  })
  t.equal(other.status, 200)
})

t.test('a page may load nothing from elsewhere and run nothing that stands in it', async (t) => {
  const { url } = await served(t)
  for (const path of ['/', '/sale', '/docs']) {
    const { headers } = await fetch(url + path)
    const policy = headers.get('content-security-policy') ?? ''
    t.match(policy, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;")
    t.match(
      policy,
      "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.equal(headers.get('cross-origin-opener-policy'), 'same-origin')
    t.equal(headers.get('cache-control'), 'no-cache')
  }
})

t.test('a page names its parts by paths that change with any file, and only those are kept', async (t) => {
  const { url, folder } = await served(t)
  const page = await (await fetch(`${url}/sale`)).text()
  const [style, script] = [/href="([^"]+css)"/, /src="([^"]+)"/].map((found) => found.exec(page)?.[1] ?? '')
  t.match(style, /^\/~[\w-]{12}\/styles\.css$/)
  t.match(page, 'href="/orders"')
  const module = await fetch(url + script)
  t.equal(module.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  const text = await module.text()
  t.match(text, /from '\/~[\w-]{12}\/vendor\/preact\.js'/)
  t.match(text, "from './a.js'")
  t.match(text, "'/orders'")
  t.match(await (await fetch(url + style)).text(), /url\(\/~[\w-]{12}\/dot\.svg\)/)
  t.equal((await fetch(`${url}/line/a.js`)).headers.get('cache-control'), 'no-cache')
  await writeFile(join(folder, 'line/a.js'), 'export const a = 2\n')
  const next = await startEdge(t, { pages: { folder, rereads: false } })
  t.equal((await fetch(next.url + script)).status, 404, 'no module of an older version is mixed in')
  t.notMatch(await (await fetch(`${next.url}/sale`)).text(), script)
})

t.test('the modules of others find each other', async (t) => {
  const { url } = await served(t, true)
  for (const name of ['preact', 'preact-hooks', 'signals', 'signals-core', 'htm']) {
    const response = await fetch(`${url}/vendor/${name}.js`)
    t.equal(response.status, 200, name)
    const text = await response.text()
    t.notMatch(text, /sourceMappingURL/)
    for (const [, path = ''] of text.matchAll(/\b(?:from|import)\s*["']([^"']+)["']/g))
      t.equal((await fetch(url + path)).status, 200, `${name} imports ${path}`)
  }
})

t.test('who works on the pages sees a change at once, others at the next start', async (t) => {
  for (const rereads of [true, false]) {
    const { url, folder } = await served(t, rereads)
    const first = await fetch(`${url}/line/a.js`)
    t.equal(first.headers.get('cache-control'), 'no-cache')
    await writeFile(join(folder, 'line/a.js'), 'export const a = 2\n')
    await writeFile(join(folder, 'new.html'), 'new')
    const second = await fetch(`${url}/line/a.js`)
    t.equal((await second.text()).includes('2'), rereads)
    t.equal(second.headers.get('etag') === first.headers.get('etag'), !rereads)
    t.equal((await fetch(`${url}/new`)).status, rereads ? 200 : 404)
  }
})

t.test('pages that cannot be read for a moment are those that were read before', async (t) => {
  const { url, folder } = await served(t, true)
  await rename(folder, `${folder}-away`)
  t.equal((await fetch(`${url}/sale`)).status, 200)
  await rename(`${folder}-away`, folder)
  await rm(join(folder, 'sale.html'))
  t.equal((await fetch(`${url}/sale`)).status, 404)
})

t.test('more than memory is for is refused at the start', async (t) => {
  const folder = await folderOf(t, { 'a.txt': 'x'.repeat(17 * 1024 * 1024) })
  await t.rejects(startEdge(t, { pages: { folder, rereads: false } }), StartError)
})

t.test('a file is served to whoever asks, also when nobody can be identified', async (t) => {
  const folder = await folderOf(t, pages)
  const authenticate = () => Promise.reject(new Error('no store'))
  const { url } = await startEdge(t, { pages: { folder, rereads: false }, authenticator: { authenticate } })
  t.equal((await fetch(`${url}/sale`, { headers: { cookie: 'openrun_session=a' } })).status, 200)
})
