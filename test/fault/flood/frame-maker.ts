import { frameBytesMax } from '../../../src/server/protocol/ws-frames.ts'
import type { JsonSchema } from '../../support/contract.ts'
import { strangers } from '../../support/examples.ts'
import type { LiveDocument } from '../../support/live-contract.ts'
import { mutationsOf } from '../../support/mutations.ts'
import { damaged, oneOf, someText, type Random } from './chance.ts'
import { samplesOf } from './schema-samples.ts'
import type { KnownThings } from './known-things.ts'

export interface FloodFrame {
  readonly payload: Buffer
  readonly isBinary: boolean
  /** What it asks for, such as `chat publish`; absent for what is no frame. */
  readonly asks?: string
}

interface Kind {
  readonly asks: string
  readonly op: string
  readonly address: string
  /** The document has it for this channel. */
  readonly isTaken: boolean
  /** What may be published, of the right shape and of wrong ones. */
  readonly good: readonly unknown[]
  readonly bad: readonly unknown[]
}

/** Makes frames for every channel of the document that is spoken of over the WebSocket. */
export class FrameMaker {
  readonly #kinds: readonly Kind[]
  /** Frames with one thing wrong. */
  readonly #mutated: readonly string[]
  readonly #known: KnownThings

  constructor(document: LiveDocument, known: KnownThings) {
    this.#known = known
    this.#kinds = Object.entries(document.channels)
      .filter(([, { address }]) => !address.startsWith('/'))
      .flatMap(([prefix, { address }]) => kindsOf(document, prefix, address))
    this.#mutated = this.#kinds.flatMap((kind) => {
      const { op, good } = kind
      const frame = { ref: 'mutated', op, ch: this.#channel(kind, true, () => 0) }
      const whole = op === 'publish' ? { ...frame, data: good[0] } : { ...frame, since: '1:1' }
      return mutationsOf(whole).map(({ value }) => JSON.stringify(value))
    })
  }

  /** All that has to be answered well, and refused, in a flood that reaches everything. */
  get answers(): string[] {
    return this.#kinds.flatMap(({ asks, op, isTaken }) => [
      ...(isTaken ? [`${asks} ok`] : []),
      // Whoever leaves where they are not has left.
      ...(op === 'unsubscribe' ? [] : [`${asks} error`]),
    ])
  }

  /** For each channel a frame that asks for it, with the refs from 0 on: one may publish only where one listens. */
  subscriptions(random: Random): FloodFrame[] {
    return this.#kinds
      .filter(({ op }) => op === 'subscribe')
      .map((kind, ref) => {
        const frame = { ref, op: kind.op, ch: this.#channel(kind, true, random) }
        return { payload: Buffer.from(JSON.stringify(frame)), isBinary: false, asks: kind.asks }
      })
  }

  /** With a `ref` of its own, unless that is among what is wrong with it. */
  next(ref: number, random: Random): FloodFrame {
    const chance = random()
    if (chance < 0.02) return binary(random)
    if (chance < 0.04) return { payload: Buffer.from(someText(random)), isBinary: false }
    if (chance < 0.12) {
      const text = oneOf(this.#mutated, random)
      return { payload: Buffer.from(random() < 0.7 ? text : damaged(text, random)), isBinary: false }
    }
    const kind = oneOf(this.#kinds, random)
    const { op, asks } = kind
    const isRight = random() < 0.6
    const frame = {
      ref,
      op,
      ch: this.#channel(kind, isRight, random),
      ...(op === 'subscribe' &&
        random() < 0.3 && { since: oneOf(['1:1', '0:0', '9:99999999', 'x'], random) }),
      ...(op === 'publish' && { data: oneOf(isRight ? kind.good : kind.bad, random) }),
    }
    const text = JSON.stringify(frame)
    // Refused before it is known what it asks for.
    const isRead = text.length < frameBytesMax / 3 && !text.includes(String.raw`\u0000`)
    return { payload: Buffer.from(text), isBinary: false, ...(isRead && { asks }) }
  }

  #channel({ address }: Kind, isRight: boolean, random: Random): string {
    return address.replace(/\{(\w+)\}/, (_, name: string) => {
      if (isRight) return this.#known.oneOf(name, random) ?? ''
      return random() < 0.8 ? (strangers[name] ?? '') : someText(random)
    })
  }
}

function kindsOf(document: LiveDocument, prefix: string, address: string): Kind[] {
  const published = document.components.messages[`${prefix}.publish`]?.payload
  const data = (published?.['properties'] as Record<string, JsonSchema> | undefined)?.['data']
  const good = data === undefined ? [] : samplesOf(data, document.components.schemas)
  const bad = [...good.flatMap((sample) => mutationsOf(sample).map(({ value }) => value)), {}]
  return ['subscribe', 'unsubscribe', 'publish'].map((op) => ({
    asks: `${prefix} ${op}`,
    op,
    address,
    isTaken: op !== 'publish' || data !== undefined,
    good: good.length > 0 ? good : bad,
    bad,
  }))
}

function binary(random: Random): FloodFrame {
  const bytes = Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256))
  return { payload: Buffer.from(bytes), isBinary: true }
}
