import { Problem } from '../errors.ts'
import { isStorableText } from './json-text.ts'
import { serverErrors } from './server-errors.ts'

const queryParametersMax = 64

/** One part of a path, decoded. Throws the Problem `malformed_url`. */
export function mustDecodeSegment(segment: string): string {
  return segment.includes('%') ? mustDecode(segment) : segment
}

/**
 * A query string as an object without prototype; a name given more than once becomes an array, which the schemas of
 * single values then refuse. Throws the Problem `malformed_url`.
 */
export function mustParseQuery(text: string): Record<string, string | string[]> {
  const found = Object.create(null) as Record<string, string | string[]>
  if (text === '') return found
  const pairs = text.split('&', queryParametersMax + 1)
  if (pairs.length > queryParametersMax) throw new Problem(serverErrors.malformed_url)
  for (const pair of pairs) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = mustDecodeFormText(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : mustDecodeFormText(pair.slice(equals + 1))
    const earlier = found[name]
    found[name] = earlier === undefined ? value : [...[earlier].flat(), value]
  }
  return found
}

function mustDecodeFormText(text: string): string {
  return mustDecode(text.includes('+') ? text.replaceAll('+', ' ') : text)
}

function mustDecode(text: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text)
  } catch {
    throw new Problem(serverErrors.malformed_url)
  }
  if (!isStorableText(decoded)) throw new Problem(serverErrors.malformed_url)
  return decoded
}
