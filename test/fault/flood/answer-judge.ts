import type { Body, Contract, Operation } from '../../support/contract.ts'
import type { Heard } from './kept-connection.ts'
import type { FloodRequest } from './request-maker.ts'

/** Of each answer of a call with a status so many are looked at as a whole, and then one in so many. */
const wholeAtFirst = 20
const wholeOneIn = 16

interface Documented {
  readonly statuses: ReadonlySet<number>
  readonly seen: Map<number, number>
}

/** Holds answers against the OpenAPI document: every status, and a sample of the bodies. */
export class AnswerJudge {
  readonly statuses = new Map<number, number>()
  bodies = 0
  readonly #contract: Contract
  readonly #calls: ReadonlyMap<string, Documented>

  constructor(contract: Contract) {
    this.#contract = contract
    this.#calls = new Map(
      contract.operations.map(({ method, path, operation }) => [
        `${method} ${path}`,
        { statuses: new Set(statusesOf(operation)), seen: new Map<number, number>() },
      ]),
    )
  }

  /** Throws for an answer that is not as documented. */
  judge(request: FloodRequest, heard: Heard): void {
    const { status } = heard
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    const documented = this.#calls.get(request.call)
    if (documented === undefined) throw new Error(`${request.call} is not documented`)
    if (!mayBe(request, status, documented)) throw wrong('a status that is not documented', request, heard)
    if (request.method === 'HEAD' || request.isOffTheMap) return
    const seen = (documented.seen.get(status) ?? 0) + 1
    if (request.call.startsWith(`${request.method} `)) documented.seen.set(status, seen)
    if (status === 503 || seen <= wholeAtFirst || seen % wholeOneIn === 0) this.#judgeWhole(request, heard)
  }

  /** Calls that never succeeded, or were never refused though they can be. */
  get neverReached(): string[] {
    return [...this.#calls].flatMap(([call, { statuses, seen }]) => [
      ...([...seen.keys()].some(isSuccess) ? [] : [`${call} with success`]),
      ...([...seen.keys()].some(isRefusal) || ![...statuses].some(isRefusal) ? [] : [`${call} refused`]),
    ])
  }

  /** Pairs of a call and a documented status that never came. */
  get neverSeen(): string[] {
    return [...this.#calls].flatMap(([call, { statuses, seen }]) =>
      [...statuses]
        .filter((status) => status < 500 && !seen.has(status))
        .map((status) => `${call} ${status}`),
    )
  }

  #judgeWhole(request: FloodRequest, heard: Heard): void {
    this.bodies++
    const lines = heard.head.split('\r\n').slice(1)
    const headers = new Headers(lines.map((line) => line.split(/: */, 2) as [string, string]))
    const isJson = /json/.test(headers.get('content-type') ?? '') && heard.body.length > 0
    const body = isJson ? (JSON.parse(heard.body.toString()) as Body) : {}
    const answer = { status: heard.status, headers, body, bytes: heard.body }
    const faults = this.#contract.faults(request.method, request.url, answer)
    if (faults.length > 0) throw wrong(faults.join('\n'), request, heard)
  }
}

const isSuccess = (status: number): boolean => status < 400
const isRefusal = (status: number): boolean => status >= 400 && status < 500

function statusesOf({ responses }: Operation): number[] {
  // That the server may fail is documented; that it does is what is looked for.
  return Object.keys(responses)
    .map(Number)
    .filter((status) => status < 500 || status === 503)
}

function mayBe(request: FloodRequest, status: number, { statuses }: Documented): boolean {
  if (request.isOffTheMap && (status === 404 || status === 405)) return true
  if (request.method === 'BREW') return status === 405
  // Whoever says who they are is believed or refused, also where it does not matter.
  if (request.method === 'OPTIONS') return status === 204 || status === 401
  return statuses.has(status)
}

function wrong(what: string, { bytes }: FloodRequest, { status, head, body }: Heard): Error {
  const answer = `${status} ${head.slice(0, 600)} ${body.subarray(0, 600).toString()}`
  return new Error(`${what}: ${answer}\nto ${bytes.subarray(0, 1200).toString()}`)
}
