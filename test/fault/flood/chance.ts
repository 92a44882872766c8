export type Random = () => number

export function oneOf<T>(all: readonly T[], random: Random): T {
  return all[Math.floor(random() * all.length)] as T
}

const oddTexts = [
  '',
  '0',
  '-1',
  'null',
  '%',
  '%00',
  '..%2f..',
  'x'.repeat(400),
  '2030-13-45',
  '1e999',
  '한글',
  "' or 1=1 --",
  '{}',
  '[]',
]

export function someText(random: Random): string {
  if (random() < 0.6) return oneOf(oddTexts, random)
  let text = ''
  for (let left = Math.floor(random() * 40); left > 0; left--)
    text += String.fromCodePoint(32 + Math.floor(random() * 900))
  return text
}

/** Something in the middle is not what it was. */
export function damaged(text: string, random: Random): string {
  const at = Math.floor(random() * text.length)
  return text.slice(0, at) + someText(random) + text.slice(at + Math.floor(random() * 9))
}
