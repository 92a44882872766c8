import { errorCatalogue } from '../../../src/error-catalogue.ts'
import { closeCodes } from '../../../src/server/protocol/close-codes.ts'
import { at } from '../../support/contract.ts'
import { LiveContract, type LiveDocument } from '../../support/live-contract.ts'

const wholeAtFirst = 20
const wholeOneIn = 16
/** No closing frame, one without a code, the usual end, and what the server says. */
const codesOfEnds = new Set<number>([0, 1000, 1005, ...Object.values(closeCodes).map(({ code }) => code)])
const statusOf = new Map(errorCatalogue.map(({ code, status }) => [code, status]))

/** Holds what comes over WebSockets against the AsyncAPI document: every error, and a sample of everything else. */
export class FrameJudge {
  /** How often each answer came, such as `chat publish ok` and `chat publish error`, and each event. */
  readonly seen = new Map<string, number>()
  readonly ends = new Map<number, number>()
  readonly #contract: LiveContract

  constructor(document: LiveDocument) {
    this.#contract = new LiveContract(document)
  }

  /** `asks` is what was asked for under the `ref` of the frame. Throws for a frame that is not as documented. */
  judge(frame: Readonly<Record<string, unknown>>, asks: string | undefined): void {
    const { ch, type, error } = frame
    if (error !== undefined) mustBeKnown(frame)
    const name =
      typeof ch === 'string'
        ? `${ch.split(':')[0]}.${String(type)}`
        : `${asks ?? 'no frame'} ${error === undefined ? 'ok' : 'error'}`
    const count = (this.seen.get(name) ?? 0) + 1
    this.seen.set(name, count)
    if (count <= wholeAtFirst || count % wholeOneIn === 0) this.#contract.frame(frame)
  }

  end(code: number): void {
    this.ends.set(code, (this.ends.get(code) ?? 0) + 1)
    if (!codesOfEnds.has(code)) throw new Error(`closed with ${code}, which is not documented`)
  }
}

function mustBeKnown(frame: Readonly<Record<string, unknown>>): void {
  const code = String(at(frame, 'error.code'))
  const status = statusOf.get(code)
  if (status === undefined || (status >= 500 && status !== 503))
    throw new Error(`not an error that a client may meet: ${JSON.stringify(frame)}`)
}
