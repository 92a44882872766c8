import { Socket } from 'node:net'
import { systemClock } from '../clock.ts'

/**
 * Opens the socket of a connection; it may be written to at once. Where statements have a time-out, a server that says
 * nothing for a third longer is gone, be it without a goodbye: the operating system would go on believing in it for long,
 * while a new connection would work at once.
 *
 * Postgres.js lets go of its socket as soon as that is closed, and then sends the ROLLBACK of a transaction that was cut off: an error outside of every promise, which ends
 * the process (porsager/postgres#1208). This one first says that it is lost, lets what follows from that run dry, and
 * closes then. It cannot do so below TLS, which puts a socket of its own on top.
 */
export function openPostgresSocket(options: SocketOptions): Socket {
  forgoKnownTypes(options)
  const { statement_timeout: timeoutMs } = options.connection
  const socket = new LastingSocket(timeoutMs === undefined ? Infinity : (timeoutMs * 4) / 3)
  const turn = turns++
  const host = options.host[turn % options.host.length] ?? 'localhost'
  const port = options.port[turn % options.port.length] ?? 5432
  return host.startsWith('/') ? socket.connect(`${host}/.s.PGSQL.${port}`) : socket.connect(port, host)
}

/** What Postgres.js hands over: the settings of the whole pool. */
interface SocketOptions {
  readonly host: readonly string[]
  readonly port: readonly number[]
  readonly connection: { readonly statement_timeout?: number }
  fetch_types: boolean
  /** By the number of a type; those of arrays are added by the first connection. */
  readonly parsers: Readonly<Record<number, unknown>>
}

/**
 * Each connection begins with a question for the array types, which nothing awaits: cut off there, it would end the
 * process. The answer serves the whole pool, so only the first connection asks, which is awaited at the start.
 */
function forgoKnownTypes(options: SocketOptions): void {
  if (textArray in options.parsers) options.fetch_types = false
}

/** The number of the type text[]. */
const textArray = 1009

/** Several hosts are taken in turn. */
let turns = 0

class LastingSocket extends Socket {
  readonly #answersWithinMs: number
  #wasConnected = false
  /** Ends with the next answer; undefined where nothing was asked since the last one. */
  #asked: AbortController | undefined

  constructor(answersWithinMs: number) {
    super()
    this.#answersWithinMs = answersWithinMs
    this.once('connect', () => {
      this.#wasConnected = true
    })
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, told: (error?: Error | null) => void): void {
    if (this.#asked === undefined) void this.#waitForAnswer()
    super._write(chunk, encoding, told)
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event === 'data' || event === 'close') this.#rest()
    if (event !== 'close' || !this.#wasConnected) return super.emit(event, ...values)
    if (this.listenerCount('error') > 0) super.emit('error', connectionLost())
    // Whatever was awaiting an answer goes on in this turn and writes at the end of the next one.
    setImmediate(() => setImmediate(() => super.emit('close', false)))
    return true
  }

  async #waitForAnswer(): Promise<void> {
    if (!Number.isFinite(this.#answersWithinMs)) return
    this.#asked = new AbortController()
    const { signal } = this.#asked
    await systemClock.wait(this.#answersWithinMs, signal)
    if (!signal.aborted) this.destroy()
  }

  #rest(): void {
    this.#asked?.abort()
    this.#asked = undefined
  }
}

function connectionLost(): Error {
  return Object.assign(new Error('The connection to PostgreSQL was lost'), { code: 'CONNECTION_CLOSED' })
}
