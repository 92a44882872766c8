import { Socket } from 'node:net'

/**
 * Opens the socket of a connection; it may be written to at once. Postgres.js lets go of its socket as soon as that is
 * closed, and then sends the ROLLBACK of a transaction that was cut off: an error outside of every promise, which ends
 * the process (porsager/postgres#1208). This one first says that it is lost, lets what follows from that run dry, and
 * closes then. It cannot do so below TLS, which puts a socket of its own on top.
 */
export function openPostgresSocket(options: SocketOptions): Socket {
  forgoKnownTypes(options)
  const socket = new LastingSocket()
  const turn = turns++
  const host = options.host[turn % options.host.length] ?? 'localhost'
  const port = options.port[turn % options.port.length] ?? 5432
  return host.startsWith('/') ? socket.connect(`${host}/.s.PGSQL.${port}`) : socket.connect(port, host)
}

/** What Postgres.js hands over: the settings of the whole pool. */
interface SocketOptions {
  readonly host: readonly string[]
  readonly port: readonly number[]
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
  #wasConnected = false

  constructor() {
    super()
    this.once('connect', () => {
      this.#wasConnected = true
    })
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event !== 'close' || !this.#wasConnected) return super.emit(event, ...values)
    if (this.listenerCount('error') > 0) super.emit('error', connectionLost())
    // Whatever was awaiting an answer goes on in this turn and writes at the end of the next one.
    setImmediate(() => setImmediate(() => super.emit('close', false)))
    return true
  }
}

function connectionLost(): Error {
  return Object.assign(new Error('The connection to PostgreSQL was lost'), { code: 'CONNECTION_CLOSED' })
}
