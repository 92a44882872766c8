import t from 'tap'
import { linkedPieces } from '../../public/chat/text-pieces.js'

const hrefs = (text: string) => linkedPieces(text).flatMap(({ href }) => href ?? [])

t.test('web addresses are found in what is said, and nothing of it is lost', async (t) => {
  const text = 'see https://shop.example/a?b=1, or (http://other.example/x). Bye!'
  t.same(hrefs(text), ['https://shop.example/a?b=1', 'http://other.example/x'])
  t.equal(
    linkedPieces(text)
      .map((piece) => piece.text)
      .join(''),
    text,
  )
})

t.test('only what leads to the web is followed', async (t) => {
  for (const text of [
    'javascript:alert(1)',
    'data:text/html,x',
    'https://',
    'ftp://a.example',
    'shop.example',
  ]) {
    t.same(hrefs(text), [], text)
  }
})
