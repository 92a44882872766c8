import { setTimeout as wait } from 'node:timers/promises'
import type { Fetch } from '../../../src/client/client-ports.ts'

/** Something that is asked again and again. */
export interface Request {
  readonly name: string
  readonly isWrite: boolean
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly url: string
  /** Those who ask, one after another. */
  readonly headers: readonly Readonly<Record<string, string>>[]
  readonly body?: object
}

export interface Answer {
  readonly request: Request
  /** When it was asked, and answered. */
  readonly fromMs: number
  readonly toMs: number
  /** 0: no answer. */
  readonly status: number
  readonly hasRetryAfter: boolean
}

const everyMs = 200
const patienceMs = 8_000

/** Requests that are asked five times a second each, whatever is answered; a slow one is not asked twice at once. */
export class Traffic {
  readonly answers: Answer[] = []
  readonly #fetch: Fetch
  #isOver = false
  readonly #loops: Promise<void>

  constructor(requests: readonly Request[], fetch: Fetch) {
    this.#fetch = fetch
    this.#loops = Promise.all(requests.map((request) => this.#repeat(request))).then(() => undefined)
  }

  /** Resolves when the last one is answered. */
  async stop(): Promise<void> {
    this.#isOver = true
    await this.#loops
  }

  async #repeat(request: Request): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const pause = wait(everyMs)
      this.answers.push(await this.#ask(request, turn))
      await pause
    }
  }

  async #ask(request: Request, turn: number): Promise<Answer> {
    const { method, url, headers, body } = request
    const fromMs = performance.now()
    const answer = (status: number, hasRetryAfter: boolean): Answer => {
      return { request, fromMs, toMs: performance.now(), status, hasRetryAfter }
    }
    try {
      const response = await this.#fetch(url, {
        method,
        headers: { ...headers[turn % headers.length], 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(patienceMs),
      })
      await response.text()
      return answer(response.status, response.headers.get('retry-after') !== null)
    } catch {
      return answer(0, false)
    }
  }
}
