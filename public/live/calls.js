import { becomeGuest, hasAccount } from './account.js'
import { backOffMs } from './back-off.js'
import { Problem, problemOf, toProblem } from './problem.js'

/**
 * @typedef {object} CallOptions
 * @property {'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} [method] GET when left out
 * @property {unknown} [body] sent as JSON
 * @property {Record<string, string>} [headers]
 * @property {string} [key] the Idempotency-Key, by which a POST may be repeated; see `newKey`
 * @property {boolean} [repeatable] a POST that may be repeated without a key, such as joining a line
 * @property {number} [withinMs] no attempt begins later than this after the first; 20 s when left out
 * @property {AbortSignal} [signal]
 */

/**
 * Asks the server: `await call('/sales')`, below /api/v1. What may be repeated is repeated while the server cannot be
 * reached or says that it will pass. Whoever has no account becomes a guest where one is needed.
 * @template T
 * @param {string} path
 * @param {CallOptions} [options]
 * @returns {Promise<T>} the JSON of the answer; undefined for 204
 * @throws {Problem}
 */
export async function call(path, options = {}) {
  const startedMs = performance.now()
  const withinMs = options.withinMs ?? 20_000
  for (let attempt = 1; ; attempt++) {
    try {
      return await askOnce(path, options)
    } catch (thrown) {
      if (options.signal?.aborted) throw thrown
      const problem = toProblem(thrown)
      const pauseMs = Math.max(problem.retryAfterSeconds * 1000, backOffMs(attempt, Math.random))
      const isLate = performance.now() + pauseMs - startedMs > withinMs
      if (!problem.isPassing || !mayRepeat(options) || isLate) throw problem
      await pause(pauseMs, options.signal)
    }
  }
}

/** A key for one thing that is to be made once, however often it is asked for. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(18))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
}

/** @param {number} ms @param {AbortSignal} [signal] ends the pause early @returns {Promise<void>} */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/**
 * @template T
 * @param {string} path
 * @param {CallOptions} options
 * @returns {Promise<T>}
 */
async function askOnce(path, options) {
  const first = await send(path, options)
  const isOurs = options.headers?.['authorization'] === undefined
  // An account of another server, or one whose time is over.
  const response = first.status === 401 && isOurs ? await sendAsGuest(path, options) : first
  if (!response.ok) throw await problemOf(response)
  const text = await response.text()
  return /** @type {T} */ (text === '' ? undefined : JSON.parse(text))
}

/** @param {string} path @param {CallOptions} options */
async function sendAsGuest(path, options) {
  await becomeGuest({ instead: hasAccount() })
  return await send(path, options)
}

/** @param {string} path @param {CallOptions} options @returns {Promise<Response>} */
async function send(path, { method = 'GET', body, headers, key, signal }) {
  const deadline = AbortSignal.timeout(answerMs)
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal === undefined ? deadline : either(signal, deadline),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Problem({ code: 'unreachable' })
  }
}

/** `AbortSignal.any` is not there yet in browsers of 2023. @param {AbortSignal} one @param {AbortSignal} other */
function either(one, other) {
  const both = new AbortController()
  for (const signal of [one, other]) {
    if (signal.aborted) both.abort()
    signal.addEventListener('abort', () => both.abort(), { signal: both.signal })
  }
  return both.signal
}

/** @param {CallOptions} options */
function mayRepeat({ method = 'GET', key, repeatable }) {
  return method !== 'POST' || key !== undefined || repeatable === true
}

/** No answer by then is no answer. */
const answerMs = 15_000
