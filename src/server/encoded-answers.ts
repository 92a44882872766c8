import { createHash } from 'node:crypto'
import type { Reply } from './route.ts'

/** A reply that many are sent: written once, and those who have it are told so. */
export interface EncodedAnswer extends Reply {
  readonly body: Uint8Array
}

/** Answers made of views that never change once they are made; each is written once, as long as the view is there. */
export class EncodedAnswers {
  readonly #known = new WeakMap<object, EncodedAnswer>()

  of(view: object): EncodedAnswer {
    const known = this.#known.get(view)
    if (known !== undefined) return known
    const answer = encodedAnswer(view)
    this.#known.set(view, answer)
    return answer
  }
}

/** With a tag, and to be asked for again each time: a page shows what is so, and pays for what is new. */
export function encodedAnswer(view: object): EncodedAnswer {
  const body = Buffer.from(JSON.stringify(view))
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
  return { status: 200, body, contentType: jsonType, headers: { 'cache-control': 'no-cache', etag } }
}

const jsonType = 'application/json; charset=utf-8'
