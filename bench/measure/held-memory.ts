import { once } from 'node:events'
import { WebSocket } from 'ws'
import { z } from 'zod'

const targets = z.tuple([z.object({ webSocketDebuggerUrl: z.string() })])
/** Its events have no id. */
const reply = z.object({ id: z.number().optional(), result: z.unknown().optional() })
const evaluated = z.object({ result: z.object({ value: z.string() }) })
const memoryUsage = z.object({ rss: z.number(), heapTotal: z.number(), heapUsed: z.number() })

/** How to start Node so that its memory can be read; nothing is different in how it runs. */
export function inspectable(port: number): string {
  return `--inspect=127.0.0.1:${port} --inspect-publish-uid=http`
}

/**
 * Reads the memory of a process of Node after having made it collect its garbage, by its inspector. What it is given by the
 * machine alone would say little: some ten megabytes are there for what is garbage a moment later.
 */
export class MemoryReader {
  readonly #socket: WebSocket
  #lastId = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
  }

  static async open(port: number): Promise<MemoryReader> {
    const response = await fetch(`http://127.0.0.1:${port}/json/list`)
    const [{ webSocketDebuggerUrl }] = targets.parse(await response.json())
    const socket = new WebSocket(webSocketDebuggerUrl)
    await once(socket, 'open')
    return new MemoryReader(socket)
  }

  /** What is in use once all garbage has been collected, in the heap and outside of it, in bytes. */
  async heldBytes(): Promise<number> {
    await this.#call('HeapProfiler.collectGarbage')
    const { rss, heapTotal, heapUsed } = await this.#usage()
    return rss - heapTotal + heapUsed
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  async #usage(): Promise<z.infer<typeof memoryUsage>> {
    const asked = { expression: 'JSON.stringify(process.memoryUsage())', returnByValue: true }
    const { result } = evaluated.parse(await this.#call('Runtime.evaluate', asked))
    return memoryUsage.parse(JSON.parse(result.value))
  }

  async #call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#lastId
    return await new Promise((resolve, reject) => {
      const heed = ({ data }: { readonly data: unknown }): void => {
        const told = reply.parse(JSON.parse(z.string().parse(data)))
        if (told.id !== id) return
        this.#socket.removeEventListener('message', heed)
        if (told.result === undefined) reject(new Error(`the inspector refused ${method}`))
        else resolve(told.result)
      }
      this.#socket.addEventListener('message', heed)
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }
}
