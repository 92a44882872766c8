import { Problem } from '../errors.ts'
import { serverErrors } from './server-errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Bytes from a client as text. Throws the Problem `malformed_json` when they are not UTF-8. */
export function mustDecodeText(bytes: ArrayBuffer | Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Problem(serverErrors.malformed_json, { detail: 'The bytes are not UTF-8.' })
  }
}

/**
 * JSON text from a client as a value. Throws the Problem `malformed_json` for text that is no JSON, and for strings
 * that PostgreSQL can keep neither as text nor as jsonb (U+0000 and lone surrogates): no store is to meet them.
 */
export function mustParseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Problem(serverErrors.malformed_json)
  }
  // Both can only be written as escapes, so the walk is for the rare text that has such escapes at all.
  if (/\\u(?:0000|d[89a-f])/i.test(text) && !isStorable(value)) {
    throw new Problem(serverErrors.malformed_json, {
      detail: 'A string has U+0000 or a lone surrogate in it.',
    })
  }
  return value
}

/** Walks with a list of its own: nesting is the client's choice, and the call stack is not for it to fill. */
function isStorable(root: unknown): boolean {
  const open: unknown[] = [root]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === 'string' && !isStorableText(value)) return false
    if (typeof value !== 'object' || value === null) continue
    for (const [key, inner] of Object.entries(value)) open.push(key, inner)
  }
  return true
}

export function isStorableText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text)
}
