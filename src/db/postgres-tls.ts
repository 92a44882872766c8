import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'

/** How a connection is kept from being read by others. */
export interface Encryption {
  /** Where the server offers none, it goes without. */
  readonly isOptional: boolean
  /** The server has to show a certificate of its name, by somebody who is trusted. */
  readonly isVerified: boolean
}

/** What may stand in the URL of a database for `sslmode`, as Postgres.js understands it. */
const modes: Readonly<Record<string, Encryption | undefined>> = {
  disable: undefined,
  prefer: { isOptional: true, isVerified: false },
  allow: { isOptional: false, isVerified: false },
  require: { isOptional: false, isVerified: false },
  'verify-ca': { isOptional: false, isVerified: true },
  'verify-full': { isOptional: false, isVerified: true },
}
const notUnderstood = ['ssl', 'sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation']

/** What is wrong in the URL of a database with what it says of encryption; undefined: nothing. */
export function wrongOfEncryption(url: string): string | undefined {
  const query = queryOf(url)
  const mode = modeOf(query)
  if (!Object.hasOwn(modes, mode)) return `sslmode is ${mode}, and may be ${Object.keys(modes).join(', ')}`
  const odd = notUnderstood.find((name) => query.has(name))
  if (odd === undefined) return undefined
  return `${odd} is not understood: use sslmode, and NODE_EXTRA_CA_CERTS for authorities of your own`
}

/** What `sslmode` in the URL of a database asks for; undefined: none. */
export function encryptionOf(url: string): Encryption | undefined {
  return modes[modeOf(queryOf(url))]
}

function modeOf(query: URLSearchParams): string {
  return query.getAll('sslmode').at(-1) || 'disable'
}

/** Such a URL may name several hosts, which URL does not understand. */
function queryOf(url: string): URLSearchParams {
  return new URLSearchParams(/^[^?#]*\?([^#]*)/.exec(url)?.[1])
}

/** A message of eight bytes, with the number 80877103 for "TLS, please"; the answer is one letter. */
const wish = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

/**
 * A socket that is encrypted before anything else goes over it. It may be written to at once, and says `connect` when it is
 * encrypted.
 * https://www.postgresql.org/docs/16/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
export class EncryptedSocket extends Duplex {
  /** The connection itself, and what is on top of it when it is encrypted. */
  #inner: Socket
  readonly #encrypted: Promise<void>
  #isOpen = false
  /** The server has said goodbye. */
  #hasEnded = false

  /** @param socket has begun to connect to the host */
  constructor(socket: Socket, host: string, encryption: Encryption) {
    super({ allowHalfOpen: false })
    this.#inner = socket
    this.#follow(socket)
    this.#encrypted = this.#encrypt(socket, host, encryption)
    this.#encrypted.catch((error: Error) => this.destroy(error))
  }

  /** Postgres.js says goodbye only where it is `open`. */
  get readyState(): string {
    if (this.destroyed) return 'closed'
    if (!this.#isOpen) return 'opening'
    return this.writableEnded ? 'readOnly' : 'open'
  }

  setKeepAlive(isOn: boolean, afterMs: number): this {
    this.#inner.setKeepAlive(isOn, afterMs)
    return this
  }

  override _read(): void {
    if (this.#isOpen) this.#inner.resume()
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, told: (error?: Error | null) => void): void {
    if (this.#isOpen) this.#inner.write(chunk, encoding, told)
    else this.#encrypted.then(() => this.#inner.write(chunk, encoding, told), told)
  }

  override _final(told: (error?: Error | null) => void): void {
    this.#inner.end(() => told())
  }

  override _destroy(error: Error | null, told: (error?: Error | null) => void): void {
    this.#inner.destroy()
    told(error)
  }

  readonly #fail = (error: Error): void => void this.destroy(error)
  /** What has come before the end may still be read. */
  readonly #lose = (): void => void (this.#hasEnded || this.destroy())

  #follow(socket: Socket): void {
    this.#inner = socket
    socket.on('error', this.#fail).on('close', this.#lose)
  }

  async #encrypt(socket: Socket, host: string, encryption: Encryption): Promise<void> {
    await once(socket, 'connect')
    socket.write(wish)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    const letter = answer.toString('latin1')
    if (letter === 'S') await this.#encryptOver(socket, host, encryption)
    else if (letter !== 'N') throw notAnswered(host)
    else if (!encryption.isOptional) throw notOffered(host)
    const inner = this.#inner
    inner.on('data', (chunk: Buffer) => void (this.push(chunk) || inner.pause()))
    inner.on('end', () => {
      this.#hasEnded = true
      this.push(null)
    })
    this.#isOpen = true
    this.emit('connect')
  }

  async #encryptOver(socket: Socket, host: string, { isVerified }: Encryption): Promise<void> {
    socket.off('close', this.#lose)
    const name = isIP(host) === 0 ? { servername: host } : {}
    const over = connectTls({ socket, host, ...name, rejectUnauthorized: isVerified })
    this.#follow(over)
    await once(over, 'secureConnect')
  }
}

function notOffered(host: string): Error {
  const message = `PostgreSQL at ${host} offers no TLS: turn ssl on there, or take sslmode out of DATABASE_URL if nobody can listen in between`
  return Object.assign(new Error(message), { code: 'TLS_NOT_OFFERED' })
}

/** It may have no process left for another connection. */
function notAnswered(host: string): Error {
  const message = `PostgreSQL at ${host} did not answer whether it offers TLS`
  return Object.assign(new Error(message), { code: 'CONNECTION_CLOSED' })
}
