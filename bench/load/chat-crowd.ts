import { createHistogram } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import type { ChatEntries } from '../../src/domain/chat/chat-messages.ts'
import { monotonicMicros } from '../measure/monotonic-clock.ts'
import type { Guest } from './guests.ts'
import type { LoadCalls, MapLatency } from './load-calls.ts'
import { openAll, type Opening } from './open-all.ts'
import { SocketClient } from './socket-client.ts'

/** One frame told to all: read once. */
interface Frame {
  readonly text: string
  readonly id: string
  readonly prev: number
  readonly seq: number
  /** Which of the crowd's messages are in it. */
  readonly messages: readonly number[]
}

/** Frames that are looked for first. */
const latestMax = 16
/** Frames that members may lie apart, those of all their groups. */
const recentMax = 2000

/** Everybody in one room: what they say, and when each of them hears it. */
export class ChatCrowd {
  readonly #guests: () => readonly Guest[]
  #members: { readonly client: SocketClient; position: string }[] = []
  readonly #recent = new Map<string, Frame>()
  #latest: { readonly bytes: Buffer; readonly frame: Frame }[] = []
  /** Since the beginning: which frame was told when, column by column. */
  #told: Frame[] = []
  readonly #indexOf = new Map<Frame, number>()
  #receipts = { frames: [] as number[], atMicros: [] as number[] }
  /** What the first member was told. */
  #toldFirst: { readonly frame: Frame; readonly atMicros: number }[] = []
  #saidAtMicros: number[] = []
  #heard = { cutOff: 0, gaps: 0, refused: 0, written: 0 }

  constructor(guests: () => readonly Guest[]) {
    this.#guests = guests
  }

  async open({ port, store, members }: LoadCalls['joinChat']['asked']): Promise<{ opened: number }> {
    const guests = this.#guests()
    await openAll(members, (index, opening) => {
      const target = { port, index, accessToken: guests[index]?.accessToken, channel: `chat:${store}` }
      const client = new SocketClient(target, this.#listener(index, opening))
      this.#members[index] = { client, position: '' }
      return client
    })
    return { opened: this.#members.length }
  }

  begin(): void {
    this.#told = []
    this.#toldFirst = []
    this.#indexOf.clear()
    this.#receipts = { frames: [], atMicros: [] }
    this.#saidAtMicros = []
    this.#heard = { cutOff: 0, gaps: 0, refused: 0, written: 0 }
  }

  /** Says so many things a second, another member each time; resolves when all have been answered, or after a while. */
  async talk({ count, perSecond }: LoadCalls['talkChat']['asked']): Promise<{ written: number }> {
    const startMicros = monotonicMicros()
    while (this.#saidAtMicros.length < count) {
      const n = this.#saidAtMicros.length
      const inMicros = startMicros + (n / perSecond) * 1e6 - monotonicMicros()
      if (inMicros > 0) await wait(Math.ceil(inMicros / 1000))
      else this.#say(n)
    }
    const endMs = Date.now() + 10_000
    while (this.#heard.written + this.#heard.refused < count && Date.now() < endMs) await wait(20)
    return { written: this.#heard.written }
  }

  async untilAt({ position, seconds }: LoadCalls['chatReached']['asked']): Promise<{ elsewhere: number }> {
    const endMs = Date.now() + seconds * 1000
    const elsewhere = (): number => this.#members.filter((member) => member.position !== position).length
    while (elsewhere() > 0 && Date.now() < endMs) await wait(20)
    return { elsewhere: elsewhere() }
  }

  /** What was told since the beginning, and how long after it was said, here or where `saidAtMicros` says. */
  summary({
    saidAtMicros = this.#saidAtMicros,
  }: LoadCalls['chatTold']['asked']): LoadCalls['chatTold']['answer'] {
    const [each, last] = [createHistogram(), createHistogram()]
    // Groups of members hear the same message in different frames: what counts is the last member of all groups.
    const heardAtMicros: number[] = []
    let messages = 0
    const { frames, atMicros } = this.#receipts
    const record = (histogram: typeof each, message: number, at: number): void => {
      const said = saidAtMicros[message]
      if (said !== undefined) histogram.record(Math.max(1, Math.round(at - said)))
    }
    frames.forEach((frame, index) => {
      const at = atMicros[index] ?? 0
      for (const message of this.#told[frame]?.messages ?? []) {
        messages++
        heardAtMicros[message] = Math.max(heardAtMicros[message] ?? 0, at)
        record(each, message, at)
      }
    })
    // Passes over what nobody has heard.
    heardAtMicros.forEach((at, message) => record(last, message, at))
    return {
      ...this.#heard,
      receipts: frames.length,
      messages,
      frames: this.#toldFirst.map(({ frame: { text, id, prev, seq }, atMicros: at }) => ({
        text,
        atMicros: at,
        id,
        prev,
        seq,
      })),
      messagesOf: this.#toldFirst.map(({ frame }) => frame.messages),
      each: latencyOf(each),
      last: latencyOf(last),
    }
  }

  close(): void {
    for (const { client } of this.#members) client.close()
    this.#members = []
    this.#recent.clear()
    this.#latest = []
  }

  #say(n: number): void {
    this.#saidAtMicros.push(monotonicMicros())
    // Never the same again: it would be taken for a repetition.
    const id = `${messageId}${n}-${this.#saidAtMicros[0]?.toFixed(0)}`
    const text = `Is there still one of ${id} left? I could be there in ten minutes, if nobody minds.`
    this.#members[(n * 7) % this.#members.length]?.client.publish({ talk: { id, text } }, n)
  }

  #listener(index: number, opening: Opening) {
    return {
      onEvent: (bytes: Buffer): void => {
        const member = this.#members[index]
        if (member === undefined) return
        const atMicros = monotonicMicros()
        const frame = this.#frameOf(bytes, member.client)
        if (frame !== undefined) this.#apply(member, frame, { index, atMicros })
        opening.heard()
      },
      onEnd: (reason: string): void => {
        this.#heard.cutOff++
        opening.failed(reason)
      },
    }
  }

  /** All are told the same bytes, so only the first to hear them has to read them. Nothing for what is no frame. */
  #frameOf(bytes: Buffer, client: SocketClient): Frame | undefined {
    for (const one of this.#latest)
      if (one.bytes.length === bytes.length && one.bytes.equals(bytes)) return one.frame
    const frame = this.#recentOf(bytes, client)
    if (frame !== undefined)
      this.#latest = [{ bytes: Buffer.from(bytes), frame }, ...this.#latest.slice(0, latestMax - 1)]
    return frame
  }

  #recentOf(bytes: Buffer, client: SocketClient): Frame | undefined {
    const key = bytes.toString('latin1')
    const known = this.#recent.get(key)
    if (known !== undefined) return known
    const text = bytes.toString()
    if (text.startsWith('{"ref"')) {
      this.#heed(text)
      return undefined
    }
    const { type, id, data } = client.decode(bytes)
    if (type !== 'entries' && type !== 'joined') return undefined
    const { prev = -1, seq, entries } = data as Partial<ChatEntries> & { seq: number }
    const messages = type === 'joined' ? [] : messagesIn(entries ?? [])
    const frame = { text, id, prev, seq, messages }
    if (type === 'joined') return frame
    this.#recent.set(key, frame)
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= recentMax) break
      this.#recent.delete(oldest)
    }
    return frame
  }

  #heed(reply: string): void {
    if (reply.endsWith('"ok":true}')) this.#heard.written++
    else this.#heard.refused++
  }

  #apply(
    member: { position: string },
    frame: Frame,
    { index, atMicros }: { index: number; atMicros: number },
  ): void {
    const { id, prev, seq } = frame
    const isNext = prev < 0 || `${id.split(':')[0]}:${prev}` === member.position
    if (!isNext) this.#heard.gaps++
    member.position = id
    if (prev < 0 || prev === seq) return
    if (index === 0) this.#toldFirst.push({ frame, atMicros })
    let at = this.#indexOf.get(frame)
    if (at === undefined) {
      at = this.#told.push(frame) - 1
      this.#indexOf.set(frame, at)
    }
    this.#receipts.frames.push(at)
    this.#receipts.atMicros.push(atMicros)
  }
}

const messageId = 'bench-'

function messagesIn(entries: ChatEntries['entries']): number[] {
  return entries.flatMap(({ id }) =>
    id.startsWith(messageId) ? [Number.parseInt(id.slice(messageId.length), 10)] : [],
  )
}

function latencyOf(histogram: ReturnType<typeof createHistogram>): MapLatency {
  return { p50Ms: histogram.percentile(50) / 1000, p99Ms: histogram.percentile(99) / 1000 }
}
