import { generalErrors, Problem } from '../errors.ts'
import type { Caller } from './caller.ts'
import type { Auth } from './route.ts'
import { serverErrors } from './server-errors.ts'

/** Proves tokens and keys. Throws the Problem `unauthenticated` for what is not valid (any more). */
export interface Authenticator {
  authenticate(bearer: string): Promise<Caller> | Caller
}

/** The headers that say who calls and from where; empty strings where absent. */
export interface Credentials {
  readonly authorization: string
  readonly cookie: string
  readonly origin: string
  readonly host: string
}

export interface SessionOptions {
  readonly authenticator: Authenticator
  readonly publicUrl?: string
  readonly allowedOrigins: readonly string[]
  readonly secureCookies: boolean
}

/** Finds out who calls. A Bearer token wins over the cookie; what a page of a foreign origin sends is refused. */
export class Session {
  readonly #authenticator: Authenticator
  readonly #origins: ReadonlySet<string>
  readonly #cookieName: string

  constructor(options: SessionOptions) {
    this.#authenticator = options.authenticator
    const own = options.publicUrl === undefined ? [] : [new URL(options.publicUrl).origin]
    this.#origins = new Set([...own, ...options.allowedOrigins])
    this.#cookieName = sessionCookieName(options.secureCookies)
  }

  /**
   * The caller, where the endpoint may be called by it. Throws `unauthenticated` and `forbidden`.
   * A stale cookie on a public endpoint is no error: the page that sends it may be on its way to a new one.
   */
  identify(credentials: Credentials, auth: Auth): Promise<Caller | undefined> | Caller | undefined {
    if (auth === 'nobody') return undefined
    const bearer = bearerOf(credentials.authorization)
    if (bearer !== '') return this.#prove(bearer, auth)
    const token = cookieValue(credentials.cookie, this.#cookieName)
    if (auth !== 'public') {
      if (token === '') throw new Problem(generalErrors.unauthenticated)
      return this.#prove(token, auth)
    }
    return token === '' ? undefined : this.#tryToProve(token)
  }

  /**
   * Refuses an unsafe request of a page that is not ours. The cookie goes along with whatever a browser sends, and
   * it says by Origin whose page it was; a Bearer token has to be attached by somebody who holds it.
   */
  mustBeOwnOrigin(credentials: Credentials): void {
    if (credentials.authorization !== '') return
    const hasCookie = cookieValue(credentials.cookie, this.#cookieName) !== ''
    if (credentials.origin === '' ? hasCookie : !this.isOwnOrigin(credentials)) {
      throw new Problem(serverErrors.foreign_origin)
    }
  }

  /** Is the origin that of this host, of the public address, or an allowed one? */
  isOwnOrigin({ origin, host }: Pick<Credentials, 'origin' | 'host'>): boolean {
    return (
      this.#origins.has(origin) ||
      (host !== '' && (origin === `https://${host}` || origin === `http://${host}`))
    )
  }

  #prove(token: string, auth: Auth): Promise<Caller> | Caller {
    const caller = this.#authenticator.authenticate(token)
    return caller instanceof Promise
      ? caller.then((proved) => mustBeAllowed(proved, auth))
      : mustBeAllowed(caller, auth)
  }

  async #tryToProve(token: string): Promise<Caller | undefined> {
    try {
      return await this.#authenticator.authenticate(token)
    } catch (error) {
      if (error instanceof Problem && error.definition === generalErrors.unauthenticated) return undefined
      throw error
    }
  }
}

/** The value of Set-Cookie that gives a browser its access token. */
export function setSessionCookie(options: {
  readonly accessToken: string
  readonly maxAgeSeconds: number
  readonly secure: boolean
}): string {
  const name = sessionCookieName(options.secure)
  const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${Math.max(0, Math.floor(options.maxAgeSeconds))}`
  return `${name}=${options.accessToken}; ${attributes}${options.secure ? '; Secure' : ''}`
}

function sessionCookieName(secure: boolean): string {
  return secure ? '__Host-openrun_session' : 'openrun_session'
}

function mustBeAllowed(caller: Caller, auth: Auth): Caller {
  if (auth === 'account' && caller.kind !== 'account') {
    throw new Problem(generalErrors.forbidden, {
      detail: 'This call is made by a buyer, with an access token.',
    })
  }
  if (auth === 'organiser' && caller.kind !== 'organiser') {
    throw new Problem(generalErrors.forbidden, { detail: 'This call is made by an organiser, with its key.' })
  }
  return caller
}

/** Throws for a scheme other than Bearer: who sends credentials wants them to be looked at. */
function bearerOf(authorization: string): string {
  if (authorization === '') return ''
  const token = /^bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1]
  if (token === undefined) throw new Problem(generalErrors.unauthenticated)
  return token
}

function cookieValue(cookies: string, name: string): string {
  if (cookies === '') return ''
  for (const part of cookies.split(';')) {
    const pair = part.trim()
    if (pair.startsWith(name) && pair[name.length] === '=') return pair.slice(name.length + 1)
  }
  return ''
}
