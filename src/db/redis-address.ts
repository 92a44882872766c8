/** Where a server of Redis listens, and how it is entered. */
export interface RedisAddress {
  readonly host: string
  /** Undefined: the usual one. */
  readonly port: number | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly hasTls: boolean
  /** Number of the database. */
  readonly database: number
}

/** Several addresses are whole URLs separated by commas; a comma elsewhere belongs to a password. */
export function splitRedisUrls(urls: string): string[] {
  return urls.split(/\s*,\s*(?=[a-z]+:\/\/)/)
}

/** The addresses that were written as URLs, each with a login of its own. */
export function redisAddresses(urls: string): RedisAddress[] {
  return splitRedisUrls(urls).map((text) => {
    const { protocol, hostname, port, username, password, pathname } = new URL(text)
    return {
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? undefined : Number(port),
      username: username === '' ? undefined : decodeURIComponent(username),
      password: password === '' ? undefined : decodeURIComponent(password),
      hasTls: protocol === 'rediss:',
      database: Number(pathname.slice(1)) || 0,
    }
  })
}

/** The hosts of some URLs, for messages: without what may be secret. */
export function hostsOf(urls: string): string {
  return splitRedisUrls(urls)
    .map((text) => new URL(text).host)
    .join(', ')
}

/** `host:port`, by which a server is known. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The URL of a server that is entered as another one is. */
export function redisUrl(address: string, like: RedisAddress | undefined): string {
  const url = new URL(`${like?.hasTls === true ? 'rediss' : 'redis'}://${address}`)
  if (like?.username !== undefined) url.username = encodeURIComponent(like.username)
  if (like?.password !== undefined) url.password = encodeURIComponent(like.password)
  return url.href
}
