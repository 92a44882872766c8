import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StartError } from '../start-error.ts'
import type { StaticFile } from './static-files.ts'

/**
 * The pages of a folder with all they load. `sale.html` is found at `/sale` and `index.html` at `/`; everything else by
 * its path. Files of other types than those below are not served.
 */
export function publicFiles(folder: string): StaticFile[] {
  const files = filesBelow(folder).flatMap((name): StaticFile[] => {
    const contentType = contentTypes[extname(name)]
    if (contentType === undefined) return []
    const path = `/${relative(folder, name).split(sep).join('/')}`
    return [{ path: pagePath(path), contentType, content: readFileSync(name) }]
  })
  const bytes = files.reduce((sum, { content }) => sum + content.byteLength, 0)
  if (bytes > bytesMax) {
    throw new StartError(`${folder} holds ${bytes} bytes; they are kept in memory, ${bytesMax} at most`)
  }
  return files
}

/** What our pages take from others, at paths of our own. */
export function vendorFiles(): readonly StaticFile[] {
  loaded ??= Object.entries(vendorModules).map(([name, path]) => ({
    path,
    contentType: contentTypes[extname(path)] ?? contentTypes['.js'],
    content: Buffer.from(rewritten(readFileSync(fileURLToPath(import.meta.resolve(name)), 'utf8'))),
  }))
  return loaded
}

/** By the name under which Node finds them, and they each other. */
const vendorModules: Readonly<Record<string, string>> = {
  preact: '/vendor/preact.js',
  'preact/hooks': '/vendor/preact-hooks.js',
  '@preact/signals-core': '/vendor/signals-core.js',
  '@preact/signals': '/vendor/signals.js',
  htm: '/vendor/htm.js',
  'uplot/dist/uPlot.esm.js': '/vendor/uplot.js',
  'uplot/dist/uPlot.min.css': '/vendor/uplot.css',
}
let loaded: readonly StaticFile[] | undefined

/** A browser does not know what a bare name means. Throws for one that we do not serve: the page would not start. */
function rewritten(module: string): string {
  return module
    .replaceAll(
      /\b(from|import)\s*(["'])([^"'./\s][^"'\s]*)\2/g,
      (_, word: string, quote: string, name: string) => {
        const path = vendorModules[name]
        if (path === undefined) throw new TypeError(`The pages would need the module ${name} too`)
        return `${word}${quote}${path}${quote}`
      },
    )
    .replace(/\/\/# sourceMappingURL=\S*\s*$/, '')
}

const contentTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
} as const satisfies Readonly<Record<string, string>> as Readonly<Record<string, string>> & { '.js': string }

const bytesMax = 16 * 1024 * 1024

function pagePath(path: string): string {
  if (!path.endsWith('.html')) return path
  const bare = path.slice(0, -'.html'.length)
  return bare.endsWith('/index') ? bare.slice(0, -'index'.length) : bare
}

/** In the order of their names, so that every process finds them in the same one. Links are not followed. */
function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'))
  return entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return filesBelow(path)
      return entry.isFile() && !/\.test\.\w+$/.test(entry.name) ? [path] : []
    })
}
