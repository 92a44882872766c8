/** A web address as people write it; what usually ends the sentence around it is not part of it. */
const address = /https?:\/\/[^\s<>"']*[^\s<>"'.,:;!?)\]}…]/g

/**
 * Plain text in pieces: what is an address, and what is not.
 * @param {string} text
 * @returns {{ text: string, href: string | undefined }[]}
 */
export function linkedPieces(text) {
  const pieces = []
  let from = 0
  for (const match of text.matchAll(address)) {
    if (!URL.canParse(match[0])) continue
    pieces.push({ text: text.slice(from, match.index), href: undefined }, { text: match[0], href: match[0] })
    from = match.index + match[0].length
  }
  return [...pieces, { text: text.slice(from), href: undefined }].filter((piece) => piece.text !== '')
}
