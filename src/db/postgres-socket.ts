import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { systemClock, type Clock } from '../clock.ts'
import { PostgresSilence } from './postgres-silence.ts'
import { EncryptedSocket, encryptionOf, type Encryption } from './postgres-tls.ts'

/**
 * The sockets of a pool, and their encryption, which Postgres.js would put on top where nothing of this held; they may be
 * written to at once. Where statements have a time-out, a server that says nothing for a third longer is gone.
 *
 * Postgres.js lets go of its socket as soon as that is closed, and then sends the ROLLBACK of a transaction that was cut off: an error
 * outside of every promise, which ends the process (porsager/postgres#1208). These first say that they are lost, let what
 * follows from that run dry, and close then.
 * @param url of the database
 */
export function postgresSockets(
  url: string,
  clock: Clock = systemClock,
): { socket: (options: SocketOptions) => Duplex; ssl: false } {
  const encryption = encryptionOf(url)
  let silence: PostgresSilence | undefined
  const socket = (options: SocketOptions): Duplex => {
    forgoKnownTypes(options)
    // 0 means none.
    const timeoutMs = Number(options.connection.statement_timeout) || Infinity
    silence ??= new PostgresSilence((timeoutMs * 4) / 3, clock)
    return lasting(openSocket(options, encryption), silence)
  }
  return { socket, ssl: false }
}

function openSocket(options: SocketOptions, encryption: Encryption | undefined): Duplex {
  const turn = turns++
  const host = options.host[turn % options.host.length] ?? 'localhost'
  const port = options.port[turn % options.port.length] ?? 5432
  // As with libpq nothing is encrypted there: nobody listens within a machine.
  if (host.startsWith('/')) return connect(`${host}/.s.PGSQL.${port}`)
  const socket = connect(port, host)
  return encryption === undefined ? socket : new EncryptedSocket(socket, host, encryption)
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

/** Tells of its loss before it closes, whenever that comes, and closes when what follows from it has run dry. */
function lasting(socket: Duplex, silence: PostgresSilence): Duplex {
  const emit = socket.emit.bind(socket)
  const talk = silence.watch(socket)
  for (const name of ['write', 'end'] as const) {
    const asIs = socket[name].bind(socket) as (...values: unknown[]) => never
    socket[name] = (...values: unknown[]) => {
      silence.asks(talk)
      return asIs(...values)
    }
  }
  let wasConnected = false
  socket.once('connect', () => (wasConnected = true))
  let failure: unknown
  let isTold = false
  const close = (): void => {
    if (socket.listenerCount('error') > 0 && (wasConnected || !isTold))
      emit('error', isTold ? connectionLost() : (failure ?? connectionLost()))
    // Whatever was awaiting an answer goes on in this turn and writes at the end of the next one.
    setImmediate(() => setImmediate(() => emit('close', !wasConnected)))
  }
  socket.emit = (event: string | symbol, ...values: unknown[]) => {
    if (event === 'data') silence.hears(talk, values[0] as Buffer)
    if (event === 'error') {
      failure = values[0]
      isTold = socket.listenerCount('error') > 0
      // It may fail in the turn in which it was made, before anybody listens.
      if (!isTold) return false
    }
    if (event !== 'close') return emit(event, ...values)
    silence.forget(socket)
    if (isTold || socket.listenerCount('error') > 0) close()
    else setImmediate(close)
    return true
  }
  return socket
}

function connectionLost(): Error {
  return Object.assign(new Error('The connection to PostgreSQL was lost'), { code: 'CONNECTION_CLOSED' })
}
