import { html } from '../shell/html.js'
import { linkedPieces } from './text-pieces.js'

/** What somebody said, with the addresses in it to be followed; where they lead nobody here vouches for. @param {{ text: string }} props */
export function LinkedText({ text }) {
  return linkedPieces(text).map(({ text: piece, href }, index) =>
    href === undefined
      ? piece
      : html`<a key=${index} href=${href} target="_blank" rel="noopener noreferrer nofollow ugc"
          >${piece}</a
        >`,
  )
}
