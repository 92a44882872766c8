import net from 'node:net'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { generalErrors, Problem } from '../../src/errors.ts'
import { randomIds } from '../../src/ids.ts'
import { createServer, type Server, type ServerParts } from '../../src/server/server.ts'
import { Conditions } from '../../src/streams/conditions.ts'
import type { Authenticator } from '../../src/server/session.ts'
import { FakeClock } from './fake-clock.ts'

/** Takes the tokens `account-<id>` and `organiser-<id>`. */
const fakeAuthenticator: Authenticator = {
  authenticate(bearer) {
    const [, kind, id = ''] = /^(account|organiser)-(\w+)$/.exec(bearer) ?? []
    if (kind === 'account') return { kind, accountId: `usr_${id}`, accountKind: 'guest' }
    if (kind === 'organiser') return { kind, organiserId: `org_${id}` }
    throw new Problem(generalErrors.unauthenticated)
  },
}

export interface TestEdge {
  readonly server: Server
  readonly clock: FakeClock
  readonly conditions: Conditions
  readonly url: string
  readonly port: number
  /** The lines logged so far, as objects. */
  readonly logged: Record<string, unknown>[]
}

/** A server on a free port of this machine, with a clock of its own; stopped when the test ends. */
export async function startEdge(t: Test, parts: Partial<ServerParts> = {}): Promise<TestEdge> {
  const clock = new FakeClock()
  const logged: Record<string, unknown>[] = []
  const write = (line: string): void => void logged.push(JSON.parse(line) as Record<string, unknown>)
  const log = pino({ level: 'debug' }, { write })
  const registry = new Registry()
  const conditions = new Conditions({ log, clock, registry })
  const server = createServer({
    routes: [],
    authenticator: fakeAuthenticator,
    log,
    registry,
    conditions,
    ids: randomIds,
    clock,
    ...parts,
    options: { host: '127.0.0.1', port: 0, ...parts.options },
  })
  await server.run()
  t.teardown(() => server.stop())
  return { server, clock, conditions, logged, port: server.port, url: `http://127.0.0.1:${server.port}` }
}

/** A bare connection that sends exactly these bytes. */
export class RawClient {
  readonly socket: net.Socket
  received = ''
  isClosed = false
  readonly #watchers = new Set<() => void>()

  constructor(t: Test, port: number) {
    this.socket = net.connect(port, '127.0.0.1')
    this.socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1')
      this.#notify()
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.isClosed = true
      this.#notify()
    })
    t.teardown(() => this.socket.destroy())
  }

  send(...parts: readonly string[]): this {
    this.socket.write(Buffer.from(parts.join(''), 'latin1'))
    return this
  }

  /** Resolves with all that was received, once it has the text in it. Rejects when the connection ends before. */
  async until(text: string): Promise<string> {
    await this.#when(() => this.received.includes(text) || this.isClosed)
    if (!this.received.includes(text)) throw new Error(`closed before ${text}: ${this.received}`)
    return this.received
  }

  async closed(): Promise<string> {
    await this.#when(() => this.isClosed)
    return this.received
  }

  #when(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return
        this.#watchers.delete(look)
        resolve()
      }
      this.#watchers.add(look)
      look()
    })
  }

  #notify(): void {
    for (const look of this.#watchers) look()
  }
}

export interface SocketOptions {
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A WebSocket of a test: frames are read one after the other, none is lost. */
export class SocketClient {
  readonly socket: WebSocket
  readonly #frames: Record<string, unknown>[] = []
  readonly #readers: ((frame: Record<string, unknown>) => void)[] = []
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Record<string, unknown>
      const reader = this.#readers.shift()
      if (reader) reader(frame)
      else this.#frames.push(frame)
    })
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
  }

  static async open(t: Test, port: number, options: SocketOptions = {}): Promise<SocketClient> {
    const authorization = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
      headers: { ...authorization, ...options.headers },
    })
    t.teardown(() => socket.terminate())
    socket.on('error', () => undefined)
    const client = new SocketClient(socket)
    await new Promise<void>((resolve, reject) => {
      socket.on('open', () => resolve())
      socket.on('unexpected-response', (_, response) => reject(new Error(String(response.statusCode))))
    })
    return client
  }

  send(frame: unknown): this {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
    return this
  }

  next(): Promise<Record<string, unknown>> {
    const frame = this.#frames.shift()
    return frame ? Promise.resolve(frame) : new Promise((resolve) => this.#readers.push(resolve))
  }
}

/** The `error` of a frame that the server refused. */
export function errorOf(frame: Record<string, unknown>): Record<string, unknown> {
  return frame['error'] as Record<string, unknown>
}
