import { createRequire } from 'node:module'
import type * as WebServer from 'uWebSockets.js'

// Read once by the native module while it loads, so it is set before. 16 KiB hold two signed tokens and a crowded
// cookie jar; the built-in 4 KiB do not always, and a half-sent request costs no more than this.
process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= '16384'

const load = createRequire(import.meta.url)

/** The web server under the edge; it can be imported from here only, because of the setting above. */
export const uws = load('uWebSockets.js') as typeof WebServer

/** Passed to `listen`: a port in use is an error. Declared as a type by the module, exported under another name. */
export const listenExclusively = 1
