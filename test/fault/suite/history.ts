import { accountOfToken } from '../../../src/crowd/token-reading.ts'
import type { Fetch, FetchResponse } from '../../../src/client/client-ports.ts'

/** A call and what became of it. Times in ms since the history began. */
export interface Call {
  readonly number: number
  /** The end of the token that was shown. */
  readonly who: string
  readonly atMs: number
  endMs: number | undefined
  readonly method: string
  readonly path: string
  /** The Idempotency-Key, or nothing. */
  readonly key: string
  readonly sent: string
  /** Undefined while there is no answer, 0 where there was none. */
  status: number | undefined
  /** The Retry-After of the answer, or nothing. */
  retryAfter: string
  answer: string
}

const whoChars = 16
/** Of bodies so many letters are kept. */
const keptChars = 1_500

/** Every call and every answer, and what was done meanwhile, in the order of beginning. */
export class CallHistory {
  readonly calls: Call[] = []
  readonly events: { readonly atMs: number; readonly what: string }[] = []
  readonly #nowMs: () => number
  readonly #beganMs: number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.#beganMs = nowMs()
  }

  note(what: string): void {
    this.events.push({ atMs: this.sinceMs, what })
  }

  /** @returns a `fetch` whose calls are written down */
  recorded(fetch: Fetch): Fetch {
    return async (url, init) => {
      const call: Call = {
        number: this.calls.length,
        who: (init.headers['authorization'] ?? '').slice(-whoChars),
        atMs: this.sinceMs,
        endMs: undefined,
        method: init.method,
        path: new URL(url).pathname + new URL(url).search,
        key: init.headers['idempotency-key'] ?? '',
        sent: (init.body ?? '').slice(0, keptChars),
        status: undefined,
        retryAfter: '',
        answer: '',
      }
      this.calls.push(call)
      try {
        const response = await fetch(url, init)
        call.status = response.status
        call.retryAfter = response.headers.get('retry-after') ?? ''
        return this.#heard(call, response)
      } catch (error) {
        call.status = 0
        call.endMs = this.sinceMs
        call.answer = String(error)
        throw error
      }
    }
  }

  /**
   * The lines in which any of these words stand, or that somebody named by one sent, with what was done to the world
   * between them.
   * @param linesMax the last so many
   */
  about(words: readonly string[], linesMax = 40): string[] {
    const tokens = new Set(words.flatMap((word) => this.#tokensOf(word)))
    const concerns = ({ who, path, sent, answer }: Call): boolean =>
      tokens.has(who) ||
      words.some((word) => path.includes(word) || sent.includes(word) || answer.includes(word))
    const lines = this.calls.filter(concerns).map((call) => ({ atMs: call.atMs, text: lineOf(call) }))
    const [fromMs = 0, toMs = Infinity] = [lines[0]?.atMs, lines.at(-1)?.atMs]
    const done = this.events
      .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
      .map(({ atMs, what }) => ({ atMs, text: `${time(atMs)}  *** ${what}` }))
    return [...lines, ...done]
      .toSorted((a, b) => a.atMs - b.atMs)
      .slice(-linesMax)
      .map(({ text }) => text)
  }

  /** Since it began. */
  get sinceMs(): number {
    return this.#nowMs() - this.#beganMs
  }

  /** The ends of the access tokens of an account. */
  #tokensOf(account: string): string[] {
    const tokens = this.calls.flatMap(({ answer }) => /"accessToken":"([\w.-]+)"/.exec(answer)?.[1] ?? [])
    return tokens.filter((token) => accountOfToken(token) === account).map((token) => token.slice(-whoChars))
  }

  /** A stream has no end that is worth waiting for. */
  #heard(call: Call, response: FetchResponse): FetchResponse {
    return {
      status: response.status,
      headers: response.headers,
      get body() {
        return response.body
      },
      text: async () => {
        try {
          const text = await response.text()
          call.answer = text.slice(0, keptChars)
          return text
        } finally {
          call.endMs = this.sinceMs
        }
      },
    }
  }
}

function lineOf({ atMs, endMs, method, path, sent, status, answer }: Call): string {
  const end = endMs === undefined ? 'no end' : `${Math.round(endMs - atMs)} ms`
  const body = sent === '' ? '' : ` ${sent.slice(0, 160)}`
  return `${time(atMs)}  ${method} ${path}${body} → ${status ?? 'nothing'} in ${end} ${answer.slice(0, 240)}`
}

function time(ms: number): string {
  return `${(ms / 1_000).toFixed(3).padStart(8)} s`
}
