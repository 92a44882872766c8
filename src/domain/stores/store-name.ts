import { getChoseong } from 'es-hangul'

/** A text as it is compared: composed, in lower case, without spaces. */
export function folded(text: string): string {
  return text.normalize('NFC').toLowerCase().replace(/\s/gu, '')
}

/** The initial consonants of its Korean syllables, such as `ㅅㅅㅁ`; of other letters nothing stays. */
export function initialsOf(text: string): string {
  return folded(getChoseong(text))
}

/**
 * What texts are found by in an index: every piece of one letter and of two. Whatever holds a text holds all of its
 * pieces; the other way round that has to be looked at.
 */
export function gramsOf(...texts: readonly string[]): string[] {
  const grams = texts.flatMap((text) => {
    const letters = Array.from(text)
    return [...letters, ...pairsOf(letters)]
  })
  return [...new Set(grams)]
}

/** The fewest pieces by which a folded text that is looked for is found. */
export function gramsWanted(text: string): string[] {
  const letters = Array.from(text)
  return letters.length === 1 ? letters : [...new Set(pairsOf(letters))]
}

function pairsOf(letters: readonly string[]): string[] {
  return letters.slice(1).map((letter, index) => `${letters[index]}${letter}`)
}
