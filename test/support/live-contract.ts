import { z } from 'zod'
import { fits, Shapes, type JsonSchema } from './contract.ts'

/** The parts of an AsyncAPI document that tests go by. */
export interface LiveDocument {
  readonly channels: Readonly<Record<string, { readonly address: string; readonly messages: object }>>
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly payload: JsonSchema }>>
    readonly schemas: Readonly<Record<string, JsonSchema>>
  }
}

/**
 * Holds what comes over WebSockets and event streams against the AsyncAPI document of the server that sent it. Throws
 * for anything else: where a connection is read nobody catches it, so that the running test fails.
 */
export class LiveContract {
  readonly #document: LiveDocument
  readonly #shapes: Shapes

  constructor(document: LiveDocument) {
    this.#document = document
    this.#shapes = new Shapes(document.components.schemas)
  }

  /** A frame of the WebSocket. */
  frame(frame: Readonly<Record<string, unknown>>): void {
    const { ch, type } = frame
    if (typeof ch === 'string') this.#hold(`${ch.split(':')[0]}.${String(type)}`, frame)
    else this.#hold('error' in frame ? 'error' : 'ok', frame)
  }

  /** An event of the stream at a path. */
  event(path: string, type: string, data: unknown): void {
    const parts = new URL(path, 'http://x').pathname.split('/')
    const found = Object.entries(this.#document.channels).find(([, { address }]) => {
      const names = address.split('/')
      return names.length === parts.length && names.every((name, i) => fits(name, parts[i]))
    })
    if (found === undefined) throw new Error(`the stream ${path} is not documented`)
    this.#hold(`${found[0]}.${type}`, data)
  }

  #hold(name: string, value: unknown): void {
    const message = this.#document.components.messages[name]
    if (message === undefined)
      throw new Error(`the message ${name} is not documented: ${JSON.stringify(value)}`)
    const { success, error } = this.#shapes.of(message.payload).safeParse(value)
    if (!success) throw new Error(`${name} ${JSON.stringify(value)}: ${z.prettifyError(error)}`)
  }
}
