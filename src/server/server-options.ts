/** How the edge behaves; `serverDefaults` has everything but the address. Times in milliseconds, sizes in bytes. */
export interface ServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Several processes listen on the port; otherwise a port in use is an error at the start. */
  readonly sharePort: boolean
  readonly version: string
  /** Where clients reach the server, such as `https://tickets.example`; its origin counts as our own. */
  readonly publicUrl?: string
  /**
   * Origins of other pages that may call with a Bearer token (CORS) or open a live connection. Credentials are not
   * allowed to cross: a browser sends no cookie from them unless they are of the same site.
   */
  readonly allowedOrigins: readonly string[]
  /** The server is reached over TLS: the cookie is `Secure` and has the `__Host-` prefix. */
  readonly secureCookies: boolean
  /** Proxies of ours that add to X-Forwarded-For. */
  readonly trustedHops: number
  /** Beyond it requests are answered 503, and well beyond it connections are not taken. */
  readonly connectionsMax: number
  /** Requests being worked on at once. */
  readonly inFlightMax: number
  readonly bodyBytesMax: number
  readonly answerWithinMs: number
  /** For how long requests under way are waited for, and live connections spread, when the process stops. */
  readonly drainWithinMs: number
  /** Bytes that may wait for one slow reader of a stream or WebSocket before it is cut off. */
  readonly unreadBytesMax: number
  readonly channelsPerConnectionMax: number
}

export const serverDefaults = {
  host: '0.0.0.0',
  sharePort: false,
  version: '0.0.0',
  allowedOrigins: [],
  secureCookies: false,
  trustedHops: 0,
  connectionsMax: 18_000,
  inFlightMax: 10_000,
  bodyBytesMax: 64 * 1024,
  answerWithinMs: 30_000,
  drainWithinMs: 2_000,
  unreadBytesMax: 256 * 1024,
  channelsPerConnectionMax: 50,
} as const satisfies Omit<ServerOptions, 'port'>
