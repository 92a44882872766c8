import { Problem, problemOf } from './problem.js'

/** @typedef {{ type: string, data: unknown, id: string | undefined }} LiveEvent */

/**
 * @typedef {object} StreamOptions
 * @property {AbortSignal} signal
 * @property {Record<string, string>} [headers]
 * @property {string | undefined} [since] resumes after this id
 * @property {() => void} [onOpen]
 * @property {(event: LiveEvent) => void} onEvent
 */

/**
 * Reads server-sent events until the stream ends; unlike the browser's EventSource it can resume where we want, send
 * headers, and say why it was refused. Resolves at the end of the stream.
 * @param {string} path @param {StreamOptions} options
 * @throws {Problem}
 */
export async function readEvents(path, { signal, headers, since, onOpen, onEvent }) {
  const response = await fetch(path, {
    credentials: 'same-origin',
    headers: {
      accept: 'text/event-stream',
      ...(since !== undefined && { 'last-event-id': since }),
      ...headers,
    },
    signal,
  })
  if (!response.ok || response.body === null) throw await problemOf(response)
  onOpen?.()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  const parser = new EventParser(onEvent)
  for (;;) {
    const { done, value } = await within(silenceMaxMs, reader.read())
    if (done) return
    parser.take(value)
  }
}

/** Puts events together from text that comes in pieces (WHATWG HTML, 9.2.6). */
export class EventParser {
  #onEvent
  #rest = ''
  #type = ''
  #data = ''
  /** @type {string | undefined} */
  #id

  /** @param {(event: LiveEvent) => void} onEvent */
  constructor(onEvent) {
    this.#onEvent = onEvent
  }

  /** @param {string} text */
  take(text) {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line.endsWith('\r') ? line.slice(0, -1) : line)
  }

  /** @param {string} line */
  #line(line) {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#type = value
    else if (field === 'data') this.#data += `${value}\n`
    else if (field === 'id') this.#id = value
  }

  #dispatch() {
    const text = this.#data.slice(0, -1)
    const type = this.#type || 'message'
    this.#type = ''
    this.#data = ''
    if (text === '') return
    this.#onEvent({ type, data: parsed(text), id: this.#id })
  }
}

/** The server says something every 15 seconds, if only a comment. */
const silenceMaxMs = 40_000

/** @template T @param {number} ms @param {Promise<T>} work @returns {Promise<T>} */
function within(ms, work) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Problem({ code: 'unreachable', detail: 'silence' })), ms)
  })
  return Promise.race([work, /** @type {Promise<never>} */ (late)]).finally(() => clearTimeout(timer))
}

/** @param {string} text @returns {unknown} */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
