/**
 * Which of the offered media types the header `Accept` likes best. Of equals the one offered first, which is also the
 * answer to a header that is absent, strange, or likes none of them.
 */
export function preferredType<const T extends string>(
  accept: string | undefined,
  offered: readonly [T, ...T[]],
): T {
  const ranges = (accept ?? '').split(',').map(parseRange)
  let best: { type: T; quality: number } = { type: offered[0], quality: 0 }
  for (const type of offered) {
    const quality = qualityOf(type, ranges)
    if (quality > best.quality) best = { type, quality }
  }
  return best.type
}

/** Whether the header `Accept-Encoding` names the coding and does not refuse it. */
export function acceptsCoding(acceptEncoding: string, coding: string): boolean {
  return acceptEncoding
    .split(',')
    .map(parseRange)
    .some(({ type, quality }) => type === coding && quality > 0)
}

interface Range {
  readonly type: string
  readonly quality: number
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const q = parameters.find((parameter) => parameter.startsWith('q='))
  const quality = q === undefined ? 1 : Number(q.slice(2))
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 }
}

/** The most specific range that names the type decides, as RFC 9110 says. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const family = `${type.slice(0, type.indexOf('/'))}/*`
  for (const name of [type, family, '*/*']) {
    const range = ranges.find((candidate) => candidate.type === name)
    if (range !== undefined) return range.quality
  }
  return 0
}
