import type { Case, Finding } from './verdict.ts'

/** What was acknowledged stands in the room, once, under the number that was told; and nothing stands there twice. */
export function judgeRoom({ entries, room }: Case): Finding {
  const numbersOf = new Map<string, number[]>()
  for (const { text, seq } of room) numbersOf.set(text, [...(numbersOf.get(text) ?? []), seq])
  const said = entries.flatMap((entry) => (entry.type === 'said' ? [entry] : []))
  const sent = entries.flatMap((entry) => (entry.type === 'say-sent' ? [entry] : []))
  const missing = said
    .filter(({ text, seq }) => !numbersOf.get(text)?.includes(seq))
    .map(({ text, seq, buyer }) => `${buyer} was told that "${text}" stands as ${seq}, and it does not.`)
  const doubled = sent
    .filter(({ text }) => (numbersOf.get(text)?.length ?? 0) > 1)
    .map(({ text, buyer }) => `"${text}" of ${buyer} stands ${numbersOf.get(text)?.length} times.`)
  return { checked: sent.length, breaches: [...missing, ...doubled] }
}
