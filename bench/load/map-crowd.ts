import { createHistogram } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { unpackSeats } from '../../src/domain/units/seat-bits.ts'
import type { AvailabilityDelta, AvailabilitySnapshot } from '../../src/domain/units/unit-messages.ts'
import { monotonicMicros } from '../measure/monotonic-clock.ts'
import type { LiveClient, LiveListener } from './live-client.ts'
import type { LoadCalls, MapLatency, ToldFrame } from './load-calls.ts'
import { openAll, type Opening } from './open-all.ts'
import { SocketClient } from './socket-client.ts'
import { SocketIoClient } from './socket-io-client.ts'
import { StreamClient } from './stream-client.ts'

/** One event of the map, told to all: read once, applied by each. */
interface Frame {
  readonly bytes: Buffer
  readonly id: string
  readonly delta: AvailabilityDelta | undefined
  /** Of a snapshot: the state of each seat. */
  readonly states: Uint8Array | undefined
  /** What it made of the picture that it was applied to last: those who have the same before have the same after it. */
  step: { readonly from: Uint8Array; readonly to: Uint8Array } | undefined
}

interface Viewer {
  readonly client: LiveClient
  position: string
  /** Never written to: others may have the same one. */
  states: Uint8Array
}

/** Frames that are looked for first. */
const latestMax = 16
/** Frames that viewers may lie apart, those of all their groups. */
const recentMax = 2000
/** Frames told to a viewer that are kept between two beginnings. */
const receiptsMax = 20_000_000

/** Everybody who watches one map, each with a picture of their own. */
export class MapCrowd {
  #viewers: Viewer[] = []
  #seats = 0
  readonly #recent = new Map<string, Frame>()
  #latest: Frame[] = []
  /** Since the beginning: who was told what when, column by column. */
  #told: Frame[] = []
  #receipts = { frames: [] as number[], atMicros: [] as number[] }
  readonly #indexOf = new Map<Frame, number>()
  /** What the first viewer was told. */
  #toldFirst: ToldFrame[] = []
  #heard = { cutOff: 0, gaps: 0, notKept: 0 }

  async open({
    port,
    sale,
    seats,
    viewers,
    over,
  }: LoadCalls['watchMap']['asked']): Promise<{ opened: number }> {
    this.#seats = seats
    this.#heard = { cutOff: 0, gaps: 0, notKept: 0 }
    this.#viewers = []
    await openAll(viewers, (index, opening) => {
      const listener = this.#listener(index, opening)
      const client = clientOf(over, { port, index, sale }, listener)
      this.#viewers[index] = { client, position: '', states: new Uint8Array(seats) }
      return client
    })
    return { opened: this.#viewers.length }
  }

  /** Forgets what was told so far. */
  begin(): void {
    this.#told = []
    this.#toldFirst = []
    this.#indexOf.clear()
    this.#receipts = { frames: [], atMicros: [] }
  }

  /** Resolves when all stand at a position, or after some seconds, with how many do not. */
  async untilAt({ position, seconds }: LoadCalls['mapReached']['asked']): Promise<{ elsewhere: number }> {
    const endMs = Date.now() + seconds * 1000
    const elsewhere = (): number => this.#viewers.filter((viewer) => viewer.position !== position).length
    while (elsewhere() > 0 && Date.now() < endMs) await wait(20)
    return { elsewhere: elsewhere() }
  }

  /** What was told since the beginning, and how long after it had happened. */
  summary({ firstSeq, stamps }: LoadCalls['mapTold']['asked']): LoadCalls['mapTold']['answer'] {
    const { frames, atMicros } = this.#receipts
    const [each, last] = [createHistogram(), createHistogram()]
    const lastAtMicros = this.#told.map(() => 0)
    frames.forEach((frame, index) => {
      const at = atMicros[index] ?? 0
      lastAtMicros[frame] = Math.max(lastAtMicros[frame] ?? 0, at)
      recordSince(each, stamps[(this.#told[frame]?.delta?.prev ?? Number.NaN) + 1 - firstSeq], at)
    })
    // Groups of viewers learn of the same change by different frames: what counts is the last viewer of all groups.
    const knownAtMicros = stamps.map(() => 0)
    this.#told.forEach(({ delta }, index) => {
      const at = lastAtMicros[index] ?? 0
      for (let change = delta?.prev ?? 0; change < (delta?.seq ?? 0); change++) {
        const stamp = change + 1 - firstSeq
        knownAtMicros[stamp] = Math.max(knownAtMicros[stamp] ?? 0, at)
      }
    })
    stamps.forEach((stamp, index) => recordSince(last, stamp, knownAtMicros[index] ?? 0))
    return {
      ...this.#heard,
      receipts: frames.length,
      frames: this.#toldFirst,
      each: latencyOf(each),
      last: latencyOf(last),
    }
  }

  /** How many have another picture than this one, or stand elsewhere. */
  compare({ position, seats }: LoadCalls['compareMaps']['asked']): { different: number } {
    const expected = unpackSeats(seats, this.#seats)
    const areEqual = new Map<Uint8Array, boolean>()
    const isEqual = (viewer: Viewer): boolean => {
      const known = areEqual.get(viewer.states) ?? Buffer.compare(viewer.states, expected) === 0
      areEqual.set(viewer.states, known)
      return known && viewer.position === position
    }
    return { different: this.#viewers.filter((viewer) => !isEqual(viewer)).length }
  }

  close(): void {
    for (const { client } of this.#viewers) client.close()
    this.#viewers = []
    this.#recent.clear()
    this.#latest = []
  }

  #listener(index: number, opening: Opening) {
    return {
      onEvent: (bytes: Buffer): void => {
        const viewer = this.#viewers[index]
        if (viewer === undefined) return
        const atMicros = monotonicMicros()
        const frame = this.#frameOf(bytes, viewer.client)
        this.#apply(viewer, frame)
        this.#note(frame, { index, atMicros })
        opening.heard()
      },
      onEnd: (reason: string): void => {
        this.#heard.cutOff++
        opening.failed(reason)
      },
    }
  }

  /** All are told the same bytes, so only the first to hear them has to read them. */
  #frameOf(bytes: Buffer, client: LiveClient): Frame {
    for (const one of this.#latest)
      if (one.bytes.length === bytes.length && one.bytes.equals(bytes)) return one
    const frame = this.#recentOf(bytes, client)
    this.#latest = [frame, ...this.#latest.slice(0, latestMax - 1)]
    return frame
  }

  #recentOf(bytes: Buffer, client: LiveClient): Frame {
    const text = bytes.toString('latin1')
    const known = this.#recent.get(text)
    if (known !== undefined) return known
    const { type, id, data } = client.decode(bytes)
    const frame: Frame = {
      bytes: Buffer.from(bytes),
      id,
      delta: type === 'delta' ? (data as AvailabilityDelta) : undefined,
      states:
        type === 'snapshot' ? unpackSeats((data as AvailabilitySnapshot).seats, this.#seats) : undefined,
      step: undefined,
    }
    this.#recent.set(text, frame)
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= recentMax) break
      this.#recent.delete(oldest)
    }
    return frame
  }

  #apply(viewer: Viewer, frame: Frame): void {
    const { id, delta, states } = frame
    if (states !== undefined) {
      viewer.states = states
    } else if (delta === undefined) {
      return
    } else if (`${id.slice(0, id.indexOf(':'))}:${delta.prev}` === viewer.position) {
      viewer.states = afterStep(frame, delta, viewer.states)
    } else {
      this.#heard.gaps++
      if (viewer.client instanceof SocketClient) viewer.client.subscribe(viewer.position)
      return
    }
    viewer.position = id
  }

  #note(frame: Frame, { index: viewer, atMicros }: { index: number; atMicros: number }): void {
    // With nothing new in it, it says only where the map is.
    if (frame.delta === undefined || frame.delta.prev === frame.delta.seq) return
    if (viewer === 0) this.#toldFirst.push(toldFrame(frame, atMicros))
    if (this.#receipts.frames.length >= receiptsMax) return void this.#heard.notKept++
    let index = this.#indexOf.get(frame)
    if (index === undefined) {
      index = this.#told.push(frame) - 1
      this.#indexOf.set(frame, index)
    }
    this.#receipts.frames.push(index)
    this.#receipts.atMicros.push(atMicros)
  }
}

function clientOf(
  over: LoadCalls['watchMap']['asked']['over'],
  { port, index, sale }: { readonly port: number; readonly index: number; readonly sale: string },
  listener: LiveListener,
): LiveClient {
  if (over === 'sockets') return new SocketClient({ port, index, channel: `units:${sale}` }, listener)
  if (over === 'socket.io') return new SocketIoClient({ port, index }, listener)
  return new StreamClient({ port, index, path: `/api/v1/sales/${sale}/availability/stream` }, listener)
}

function afterStep(frame: Frame, { changes }: AvailabilityDelta, from: Uint8Array): Uint8Array {
  if (frame.step?.from === from) return frame.step.to
  const to = from.slice()
  for (const [seat, state] of changes) to[seat] = state
  frame.step = { from, to }
  return to
}

function recordSince(
  histogram: ReturnType<typeof createHistogram>,
  stampMicros: number | undefined,
  atMicros: number,
): void {
  if (stampMicros !== undefined) histogram.record(Math.max(1, Math.round(atMicros - stampMicros)))
}

function latencyOf(histogram: ReturnType<typeof createHistogram>): MapLatency {
  return { p50Ms: histogram.percentile(50) / 1000, p99Ms: histogram.percentile(99) / 1000 }
}

function toldFrame({ bytes, id, delta }: Frame, atMicros: number): ToldFrame {
  return { text: bytes.toString(), atMicros, id, prev: delta?.prev ?? 0, seq: delta?.seq ?? 0 }
}
