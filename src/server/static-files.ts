import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { z } from 'zod'
import { acceptsCoding } from './accepted-type.ts'
import { defineRoute, type Reply, type Route } from './route.ts'

/** A file that is served as it is. */
export interface StaticFile {
  /** Where it is found, such as `/sale` or `/line/place.js`. */
  readonly path: string
  readonly contentType: string
  readonly content: Buffer
}

export interface StaticFilesOptions {
  readonly read: () => readonly StaticFile[]
  /** Reads anew whenever a file is asked for: for whoever works on the pages. */
  readonly rereads: boolean
}

/**
 * All files of the server, by the path they are asked for. They are read once and looked up by their whole path, so no
 * path that a client makes up ever reaches a file system.
 */
export class StaticFiles {
  readonly #options: StaticFilesOptions
  #served: ReadonlyMap<string, ServedFile>

  constructor(options: StaticFilesOptions) {
    this.#options = options
    this.#served = this.#read(new Map())
  }

  find(path: string): Route | undefined {
    if (this.#options.rereads) this.#reread()
    return this.#served.get(path)?.route
  }

  /** A file may be going away or half written at this very moment: until it is not, what was read before stands. */
  #reread(): void {
    try {
      this.#served = this.#read(this.#served)
    } catch {
      // The next request looks again.
    }
  }

  /** What has not changed keeps its compressed forms. */
  #read(known: ReadonlyMap<string, ServedFile>): Map<string, ServedFile> {
    const { read, rereads } = this.#options
    const files = read()
    const all = rereads ? files.map((file) => ({ file, isStamped: false })) : stamped(files)
    return new Map(
      all.map(({ file, isStamped }) => {
        const before = known.get(file.path)
        const isSame = before?.content.equals(file.content) === true
        return [file.path, isSame ? before : new ServedFile(file, isStamped)]
      }),
    )
  }
}

/**
 * Pages are asked for anew each time, and name their modules and styles by paths that change when any file does. Those
 * are kept for good, and no page can ever run with modules of two versions: the old paths are gone after an upgrade.
 */
function stamped(files: readonly StaticFile[]): { file: StaticFile; isStamped: boolean }[] {
  const hash = createHash('sha256')
  for (const { path, content } of files) hash.update(`${path}\n${content.byteLength}\n`).update(content)
  const stamp = `/~${hash.digest('base64url').slice(0, 12)}`
  const parts = new Set(files.filter((file) => !isPage(file)).map(({ path }) => path))
  return files.flatMap((file) => {
    const mentions = isText(file) ? withStamps(file, { stamp, parts }) : file
    const plain = { file: mentions, isStamped: false }
    return isPage(file)
      ? [plain]
      : [plain, { file: { ...mentions, path: `${stamp}${file.path}` }, isStamped: true }]
  })
}

/** Whatever stands in quotes or brackets and is the whole path of a part gets the stamp before it. */
function withStamps(file: StaticFile, by: { stamp: string; parts: ReadonlySet<string> }): StaticFile {
  const text = file.content
    .toString()
    .replaceAll(/(?<=["'(])\/[\w./-]+(?=["')])/g, (path) => (by.parts.has(path) ? by.stamp + path : path))
  return { ...file, content: Buffer.from(text) }
}

const isPage = ({ contentType }: StaticFile): boolean => contentType.startsWith('text/html')
const isText = ({ contentType }: StaticFile): boolean => /^text\/(html|css|javascript)/.test(contentType)

type Coding = 'br' | 'gzip' | 'identity'

/** One file in all its forms. Each is compressed when it is first asked for, and never again. */
class ServedFile {
  readonly content: Buffer
  readonly route: Route
  readonly #file: StaticFile
  readonly #isStamped: boolean
  readonly #replies = new Map<Coding, Promise<Reply>>()

  constructor(file: StaticFile, isStamped: boolean) {
    this.content = file.content
    this.#file = file
    this.#isStamped = isStamped
    this.route = defineRoute({
      method: 'GET',
      path: '/*',
      summary: 'A file',
      tag: 'Pages',
      auth: 'nobody',
      headers: z.object({ 'accept-encoding': z.string().optional() }),
      responses: { 200: { description: 'The file' } },
      handle: ({ headers }) => this.#reply(this.#codingFor(headers['accept-encoding'] ?? '')),
    })
  }

  #codingFor(acceptEncoding: string): Coding {
    if (!/^(text\/|image\/svg|application\/manifest)/.test(this.#file.contentType)) return 'identity'
    if (acceptsCoding(acceptEncoding, 'br')) return 'br'
    return acceptsCoding(acceptEncoding, 'gzip') ? 'gzip' : 'identity'
  }

  #reply(coding: Coding): Promise<Reply> {
    const known = this.#replies.get(coding)
    if (known) return known
    const made = this.#make(coding)
    this.#replies.set(coding, made)
    return made
  }

  async #make(coding: Coding): Promise<Reply> {
    const { content, contentType } = this.#file
    const body = await compressed(content, coding)
    // The tag is of these very bytes: strong tags of two codings differ.
    const tag = createHash('sha256').update(body).digest('base64url').slice(0, 22)
    return {
      status: 200,
      body,
      contentType,
      headers: {
        etag: `"${tag}"`,
        'cache-control': this.#isStamped ? 'public, max-age=31536000, immutable' : 'no-cache',
        vary: 'Accept-Encoding',
        ...(coding !== 'identity' && { 'content-encoding': coding }),
        ...(isPage(this.#file) && pageHeaders),
      },
    }
  }
}

async function compressed(content: Buffer, coding: Coding): Promise<Buffer> {
  if (coding === 'identity') return content
  if (coding === 'gzip') return await promisify(gzip)(content, { level: 9 })
  // The two best levels take ten times as long for a twentieth less.
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 9,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.byteLength,
  }
  return await promisify(brotliCompress)(content, { params })
}

/** Nothing comes from elsewhere, and no script or style stands in a page. */
const pageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
}
