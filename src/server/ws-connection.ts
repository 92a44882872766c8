import type { WebSocket } from 'uWebSockets.js'
import { generalErrors, Problem } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Caller } from './caller.ts'
import type { ChannelRegistry } from './channel.ts'
import { mustDecodeText, mustParseJson } from './json-text.ts'
import { TokenBucket } from './limits.ts'
import type { Farewell, LiveConnection } from './live-connections.ts'
import { problemDocument, toProblem } from './problem-document.ts'
import { closeCodes, type CloseCode } from './protocol/close-codes.ts'
import {
  clientFrame,
  frameBytesMax,
  framesPerSecondMax,
  type ClientFrame,
  type ServerFrame,
} from './protocol/ws-frames.ts'
import { mustMatch } from './request-inputs.ts'
import { serverErrors } from './server-errors.ts'
import type { Topics } from './topics.ts'
import { Subscriptions } from './ws-subscriptions.ts'

/** What the web server keeps with the socket. */
export interface SocketData {
  readonly connection: WsConnection
}

export interface ConnectionParts {
  readonly caller: Caller | undefined
  readonly traceId: string
  readonly channels: ChannelRegistry
  readonly channelsMax: number
  readonly topics: Topics
  readonly unreadBytesMax: number
  readonly nowMs: () => number
  /** Called when it is closed because it does not read. */
  readonly onTooSlow: () => void
  readonly log: Log
}

type Ref = string | number | undefined

/**
 * One WebSocket. States: not yet opened, open, closed; `#socket` is there while open and never touched afterwards.
 * What a client sends is limited in size, rate, channels and work under way; what it does not read, in bytes.
 */
export class WsConnection implements LiveConnection {
  readonly #parts: ConnectionParts
  readonly #subscriptions: Subscriptions
  readonly #bucket: TokenBucket
  #socket: WebSocket<SocketData> | undefined
  #strikes = 0
  #lastStrikeAtMs = 0
  #underWay = 0
  #beatsWithoutSound = 0

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.#bucket = new TokenBucket(
      { perSecond: framesPerSecondMax, burst: framesPerSecondMax },
      parts.nowMs(),
    )
    this.#subscriptions = new Subscriptions({
      channels: parts.channels,
      caller: parts.caller,
      traceId: parts.traceId,
      channelsMax: parts.channelsMax,
      topics: parts.topics,
      emit: (frame) => this.#send(frame),
      emitEncoded: (text) => this.#sendText(text),
      onUndoFailure: (ch, err) =>
        parts.log.error({ traceId: parts.traceId, ch, err }, 'unsubscribing failed'),
    })
  }

  get caller(): Caller | undefined {
    return this.#parts.caller
  }

  opened(socket: WebSocket<SocketData>): void {
    this.#socket = socket
  }

  /** The socket is gone, whoever ended it. */
  closed(): void {
    this.#socket = undefined
    this.#subscriptions.clear()
  }

  /** A sign of life that is not a frame; a client may not make the server busy with pings either. */
  heardControl(): void {
    this.#beatsWithoutSound = 0
    if (this.#bucket.take(this.#parts.nowMs()) > 0) this.#strike(new Problem(serverErrors.too_many_requests))
  }

  receive(message: ArrayBuffer, isBinary: boolean): void {
    this.#beatsWithoutSound = 0
    let ref: Ref
    try {
      const retryAfterSeconds = this.#bucket.take(this.#parts.nowMs())
      if (retryAfterSeconds > 0) throw new Problem(serverErrors.too_many_requests, { retryAfterSeconds })
      if (isBinary) throw new Problem(serverErrors.unsupported_media_type)
      if (message.byteLength > frameBytesMax) throw new Problem(serverErrors.body_too_large)
      const value = mustParseJson(mustDecodeText(message))
      ref = refOf(value)
      void this.#obey(mustBeFrame(value))
    } catch (error) {
      this.#strike(toProblem(error), ref)
    }
  }

  /** Asks the client for a sign of life, and gives up on one that has given none for two beats. */
  beat(): void {
    if (this.#beatsWithoutSound >= 2) {
      this.#socket?.close()
    } else {
      this.#beatsWithoutSound++
      this.#socket?.ping()
    }
  }

  bid(farewell: Farewell): void {
    this.#close(farewell === 'draining' ? closeCodes.draining : closeCodes.loggedOut)
  }

  async #obey(frame: ClientFrame): Promise<void> {
    if (this.#underWay >= underWayMax) return this.#refuse(new Problem(serverErrors.overloaded), frame.ref)
    this.#underWay++
    try {
      await this.#perform(frame)
      if (frame.ref !== undefined) this.#send({ ref: frame.ref, ok: true })
    } catch (error) {
      this.#refuse(toProblem(error), frame.ref)
    } finally {
      this.#underWay--
    }
  }

  async #perform(frame: ClientFrame): Promise<void> {
    if (frame.op === 'subscribe') return await this.#subscriptions.add(frame.ch, frame.since)
    if (frame.op === 'unsubscribe') return this.#subscriptions.remove(frame.ch)
    const { channels, caller, traceId } = this.#parts
    const { channel, name } = channels.mustFind(frame.ch, caller)
    if (!channel.publish || !channel.publishes)
      throw new Problem(serverErrors.unknown_channel, { detail: 'Nothing is published here.' })
    const data = mustMatch(channel.publishes, frame.data)
    const subscription = this.#subscriptions.contextOf(frame.ch)
    await channel.publish({ name, caller, traceId, data, subscription })
  }

  /** A frame that is no frame, or one too many: answered, and held against the client for a minute. */
  #strike(problem: Problem, ref?: Ref): void {
    const nowMs = this.#parts.nowMs()
    if (nowMs - this.#lastStrikeAtMs > strikeForgottenAfterMs) this.#strikes = 0
    this.#lastStrikeAtMs = nowMs
    this.#strikes++
    this.#refuse(problem, ref)
    if (this.#strikes < strikesMax) return
    const isTooFast = problem.definition === serverErrors.too_many_requests
    this.#close(isTooFast ? closeCodes.tooFast : closeCodes.protocolViolation)
  }

  #refuse(problem: Problem, ref: Ref): void {
    const { traceId, log } = this.#parts
    if (problem.definition.status === 500)
      log.error({ traceId, err: problem.cause ?? problem }, 'frame failed')
    const error = problemDocument(problem, traceId)
    this.#send(ref === undefined ? { error } : { ref, error })
  }

  #send(frame: ServerFrame): void {
    // Spares the work for one that is about to go.
    if (this.#socket) this.#sendText(JSON.stringify(frame))
  }

  #sendText(text: string | Uint8Array): void {
    const socket = this.#socket
    if (!socket) return
    const isTaken = socket.send(text, false) === 1
    if (isTaken || socket.getBufferedAmount() <= this.#parts.unreadBytesMax) return
    this.#close(closeCodes.tooSlow)
    this.#parts.onTooSlow()
  }

  #close({ code, reason }: CloseCode): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.end(code, reason)
  }
}

const strikesMax = 3
const strikeForgottenAfterMs = 60_000
/** Frames of one connection being worked on at once. */
const underWayMax = 64

const ops: ReadonlySet<unknown> = new Set([
  'subscribe',
  'unsubscribe',
  'publish',
] satisfies ClientFrame['op'][])

function mustBeFrame(value: unknown): ClientFrame {
  if (!isRecord(value)) {
    throw new Problem(generalErrors.invalid_request, { detail: 'A frame is a JSON object.' })
  }
  if (!ops.has(value['op'])) throw new Problem(serverErrors.unknown_op)
  return mustMatch(clientFrame, value)
}

function refOf(value: unknown): Ref {
  const ref = isRecord(value) ? value['ref'] : undefined
  const isUsable = (typeof ref === 'string' && ref.length <= 64) || Number.isSafeInteger(ref)
  return isUsable ? (ref as Ref) : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
