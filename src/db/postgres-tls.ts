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

/** What `sslmode` in the URL of a database asks for, as Postgres.js reads it; undefined: none. */
export function encryptionOf(url: string): Encryption | undefined {
  const query = new URLSearchParams(url.split('?')[1])
  const mode = query.get('sslmode') ?? query.get('ssl') ?? 'disable'
  if (['', 'disable', 'false'].includes(mode)) return undefined
  return {
    isOptional: mode === 'prefer',
    isVerified: !['require', 'allow', 'prefer'].includes(mode),
  }
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
    return this.#isOpen ? 'open' : 'opening'
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
  readonly #lose = (): void => void this.destroy()

  #follow(socket: Socket): void {
    this.#inner = socket
    socket.on('error', this.#fail).on('close', this.#lose)
  }

  async #encrypt(socket: Socket, host: string, encryption: Encryption): Promise<void> {
    await once(socket, 'connect')
    socket.write(wish)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    if (answer.toString('latin1') === 'S') await this.#encryptOver(socket, host, encryption)
    else if (!encryption.isOptional) throw notOffered(host)
    const inner = this.#inner
    inner.on('data', (chunk: Buffer) => void (this.push(chunk) || inner.pause()))
    inner.on('end', () => this.push(null))
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
  const message = `${host} offers no TLS: turn ssl on there, or take sslmode out of DATABASE_URL if nobody can listen in between`
  return Object.assign(new Error(message), { code: 'TLS_NOT_OFFERED' })
}
