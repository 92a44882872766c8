import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from 'uWebSockets.js'
import type { Clock } from '../clock.ts'
import { Problem } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Caller } from './caller.ts'
import type { ChannelRegistry } from './channel.ts'
import { encodeProblem, writeAnswer } from './http-answer.ts'
import type { LiveConnections } from './live-connections.ts'
import { toProblem } from './problem-document.ts'
import { readCredentials, traceIdOf } from './request-head.ts'
import { serverErrors } from './server-errors.ts'
import type { ServerOptions } from './server-options.ts'
import type { Credentials, Session } from './session.ts'
import type { Topics } from './topics.ts'
import { WsConnection, type SocketData } from './ws-connection.ts'

export interface WebSocketParts {
  readonly log: Log
  readonly clock: Clock
  readonly session: Session
  readonly channels: ChannelRegistry
  readonly topics: Topics
  readonly sockets: LiveConnections
  readonly options: ServerOptions
  readonly connections: () => number
  /** A WebSocket is gone. What the web server counts by itself ends with the upgrade. */
  readonly onGone: () => void
  readonly isDraining: () => boolean
}

/** Opens the WebSockets: looks at where an upgrade comes from and who asks for it, and hands the socket on. */
export class WebSocketGate {
  readonly #parts: WebSocketParts

  constructor(parts: WebSocketParts) {
    this.#parts = parts
  }

  register(app: TemplatedApp): void {
    const { sockets, options, onGone } = this.#parts
    app.ws<SocketData>('/ws', {
      // Larger frames than we accept are still read, to be answered with an error; far larger ones end the connection.
      maxPayloadLength: 64 * 1024,
      // The budget below is ours. This limit is for the pongs that the web server sends by itself.
      maxBackpressure: 2 * options.unreadBytesMax,
      // Our own pings keep a living connection from ever getting there.
      idleTimeout: 120,
      sendPingsAutomatically: false,
      upgrade: (res, req, context) => this.#upgrade(res, req, context),
      open: (socket) => {
        const { connection } = socket.getUserData()
        connection.opened(socket)
        sockets.add(connection)
      },
      message: (socket, message, isBinary) => socket.getUserData().connection.receive(message, isBinary),
      ping: (socket) => socket.getUserData().connection.heardControl(),
      pong: (socket) => socket.getUserData().connection.heardControl(),
      close: (socket) => {
        const { connection } = socket.getUserData()
        sockets.delete(connection)
        connection.closed()
        onGone()
      },
    })
    app.any('/ws', (res, req) => {
      const refusal = new Problem(serverErrors.upgrade_required)
      refuse(res, {
        problem: refusal,
        traceId: traceIdOf(req.getHeader('traceparent')),
        isHead: req.getMethod() === 'head',
      })
    })
  }

  #upgrade(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    const request: UpgradeRequest = {
      credentials: readCredentials(req, 'always'),
      traceId: traceIdOf(req.getHeader('traceparent')),
      key: req.getHeader('sec-websocket-key'),
      protocol: req.getHeader('sec-websocket-protocol'),
      extensions: req.getHeader('sec-websocket-extensions'),
      context,
      isAborted: false,
    }
    res.onAborted(() => (request.isAborted = true))
    void this.#admit(res, request)
  }

  async #admit(res: HttpResponse, request: UpgradeRequest): Promise<void> {
    const { log } = this.#parts
    const { traceId } = request
    try {
      this.#mustHaveRoom()
      const caller = await this.#identify(request.credentials)
      if (!request.isAborted) this.#accept(res, request, caller)
    } catch (error) {
      const problem = toProblem(error)
      if (problem.definition.status === 500) log.error({ traceId, err: problem.cause }, 'upgrade failed')
      if (!request.isAborted) refuse(res, { problem, traceId, isHead: false })
    }
  }

  #mustHaveRoom(): void {
    const { options, connections, isDraining } = this.#parts
    if (isDraining()) throw new Problem(serverErrors.draining)
    if (connections() > options.connectionsMax) throw new Problem(serverErrors.overloaded)
  }

  /** A browser always says whose page opens the connection; programs that say nothing are judged by their token. */
  #identify(credentials: Credentials): Promise<Caller | undefined> | Caller | undefined {
    const { session } = this.#parts
    if (credentials.origin !== '' && !session.isOwnOrigin(credentials)) {
      throw new Problem(serverErrors.foreign_origin)
    }
    return session.identify(credentials, 'public')
  }

  #accept(res: HttpResponse, request: UpgradeRequest, caller: Caller | undefined): void {
    const { channels, topics, options, clock, log, sockets } = this.#parts
    const connection = new WsConnection({
      caller,
      traceId: request.traceId,
      channels,
      topics,
      channelsMax: options.channelsPerConnectionMax,
      unreadBytesMax: options.unreadBytesMax,
      nowMs: () => clock.nowMs(),
      onTooSlow: () => sockets.noteTooSlow(),
      log,
    })
    const { key, protocol, extensions, context } = request
    res.cork(() => res.upgrade<SocketData>({ connection }, key, protocol, extensions, context))
  }
}

interface UpgradeRequest {
  readonly credentials: Credentials
  readonly traceId: string
  readonly key: string
  readonly protocol: string
  readonly extensions: string
  readonly context: us_socket_context_t
  isAborted: boolean
}

function refuse(
  res: HttpResponse,
  options: { readonly problem: Problem; readonly traceId: string; readonly isHead: boolean },
): void {
  const { problem, traceId, isHead } = options
  const headers = problem.definition === serverErrors.upgrade_required ? { upgrade: 'websocket' } : {}
  const answer = encodeProblem(problem, traceId, headers)
  writeAnswer(res, answer, { traceId, corsOrigin: '', isHead, closesConnection: true })
}
