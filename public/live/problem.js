/**
 * @typedef {{ code: string, status: number, title: string, detail: string, [extra: string]: unknown }} ProblemDocument
 * What the server says of an error (RFC 9457).
 */

/**
 * An error that the server explained, or (code `unreachable`, status 0) a server that could not be asked. `document`
 * has what else the server said, such as `units` of `unit_taken`.
 */
export class Problem extends Error {
  /** @override */
  name = 'Problem'

  /** @param {Partial<ProblemDocument>} document @param {{ status?: number, retryAfterSeconds?: number }} [heard] */
  constructor(document, heard = {}) {
    super(document.detail ?? document.title ?? 'The server could not be reached')
    this.document = document
    this.code = document.code ?? 'unreachable'
    this.status = document.status ?? heard.status ?? 0
    this.retryAfterSeconds = heard.retryAfterSeconds ?? 0
  }

  /** Whether the same request may well succeed a little later. */
  get isPassing() {
    return passingStatuses.has(this.status) || passingCodes.has(this.code)
  }
}

/** @param {unknown} thrown @returns {Problem} */
export function toProblem(thrown) {
  if (thrown instanceof Problem) return thrown
  return new Problem({ detail: thrown instanceof Error ? thrown.message : String(thrown) })
}

/** @param {Response} response @returns {Promise<Problem>} */
export async function problemOf(response) {
  const { status } = response
  const retryAfterSeconds = Number(response.headers.get('retry-after') ?? 0) || 0
  try {
    const document = /** @type {Partial<ProblemDocument>} */ (await response.json())
    return new Problem(document, { status, retryAfterSeconds })
  } catch {
    // Something between us and the server answered.
    return new Problem({ code: 'unreachable', title: response.statusText }, { status, retryAfterSeconds })
  }
}

const passingStatuses = new Set([0, 429, 502, 503, 504])
/** The first of two requests is under way still; the gate is just letting the account in. */
const passingCodes = new Set(['in_progress', 'being_admitted'])
