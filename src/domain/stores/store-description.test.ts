import fc from 'fast-check'
import t from 'tap'
import { htmlOfDescription } from './store-description.ts'

t.test('shows what Markdown is for', async (t) => {
  const html = htmlOfDescription(
    '# 성수\n\n**bold** and *soft*, ~~gone~~ `code`\nnext line\n\n- one\n- two\n\n[here](https://a.example/b?c=1&d=2) me@a.example',
  )
  t.match(html, /<h3>성수<\/h3>/)
  t.match(html, /<strong>bold<\/strong> and <em>soft<\/em>, <del>gone<\/del> <code>code<\/code><br \/>/)
  t.match(html, /<ul>\n<li>one<\/li>\n<li>two<\/li>\n<\/ul>/)
  t.ok(html.includes('<a href="https://a.example/b?c=1&amp;d=2" rel="noopener nofollow ugc">here</a>'), html)
  t.ok(html.includes('<a href="mailto:me@a.example" rel="noopener nofollow ugc">me@a.example</a>'), html)
})

t.test('leaves nothing of what could do harm', async (t) => {
  for (const text of harmful) t.ok(isSafe(htmlOfDescription(text)), `${text} → ${htmlOfDescription(text)}`)
  t.notMatch(htmlOfDescription('<script>alert(1)</script><style>p{}</style>'), /alert|\{/)
})

t.test('no description whatever leaves anything but plain marks and outward links', async () => {
  const piece = fc.oneof(
    fc.constantFrom(...harmful),
    fc.constantFrom(
      '[',
      '](',
      ')',
      '<',
      '>',
      '"',
      "'",
      '&',
      '`',
      '\n',
      '\n\n',
      '    ',
      '> ',
      '- ',
      '| a |\n|-|\n',
    ),
    fc.constantFrom(
      'javascript:',
      'data:',
      '//a.example',
      'https://',
      '&#106;',
      '&Tab;',
      '\t',
      '\u0000',
      '=',
      'on',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }),
  )
  const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(text, (markdown) => isSafe(htmlOfDescription(markdown))),
    { numRuns: 3_000 },
  )
})

t.test('shows as it was written what no parser can follow', async (t) => {
  const html = htmlOfDescription(`${`${'>'.repeat(900)} `.repeat(22)}<b>`)
  t.ok(isSafe(html))
  t.ok(html.includes('&gt;&gt; &lt;b&gt;'))
})

t.test('does not look for marks in a word of a thousand letters', async (t) => {
  t.match(htmlOfDescription(`*${'a'.repeat(450)}*`), /<em>a{450}<\/em>/)
  t.match(htmlOfDescription(`*${'a'.repeat(1_000)}*`), /<p>\*a{1000}\*<\/p>/)
})

t.test('emphasis ends within five hundred letters', async (t) => {
  t.match(htmlOfDescription(`*${'word '.repeat(90)}end*`), /<em>/)
  t.notMatch(htmlOfDescription(`*${'word '.repeat(110)}end*`), /<em>/)
})

const harmful = [
  '<script>alert(1)</script>',
  '<scr<script>ipt>alert(1)</scr</script>ipt>',
  '<img src=x onerror=alert(1)>',
  '![x](https://elsewhere.example/pixel.png)',
  '<svg/onload=alert(1)>',
  '<a href="javascript:alert(1)" onclick="alert(1)" style="position:fixed">x</a>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt&colon;alert(1))',
  '[x](java\nscript:alert(1))',
  '[x](data:text/html;base64,PHNjcmlwdD4=)',
  '[x](vbscript:x)',
  '[x](//elsewhere.example)',
  '[x](/desk)',
  '[x](http://plain.example)',
  '[x](https://a.example" onmouseover="alert(1))',
  '[x][y]\n\n[y]: javascript:alert(1) "t"',
  '<https://a.example/"onclick=alert(1)>',
  '<style>@import url(//elsewhere.example)</style>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<form action="https://elsewhere.example"><input name=a><button>x</button></form>',
  '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<textarea><img title="</textarea><img src=x onerror=alert(1)>"></textarea>',
  '<base href="https://elsewhere.example"><meta http-equiv=refresh content=0><link rel=stylesheet href=//a>',
  '<p class="notice" id="pay" style="color:red" data-x="1">x</p>',
  '```html"><script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```',
  '<!--><script>alert(1)</script>-->',
  '<a href="https://a.example" target="_top" rel="opener">x</a>',
]

const mark =
  /<\/?(?:p|hr|br|h[3-6]|ul|ol|li|blockquote|pre|code|strong|em|del|a|table|thead|tbody|tr|th|td)(?: \/)?>/gu
const link = /<a href="(?:https|mailto):[^"<>]*" rel="noopener nofollow ugc">/giu

/** Nothing that begins a tag is left once the plain ones, and links to https and mail, are taken away. */
function isSafe(html: string): boolean {
  return !html.replace(link, '').replace(mark, '').includes('<')
}
