import { Marked, Tokenizer } from 'marked'
import sanitizeHtml from 'sanitize-html'

/** Farther than this no closing sign is looked for: a text of nothing but opening ones would take seconds. */
const emphasisCharsMax = 500

const markdown = new Marked({
  gfm: true,
  breaks: true,
  tokenizer: {
    emStrong(source, masked, before) {
      const [near, maskedNear] = [source, masked.slice(-source.length)].map((text) =>
        text.slice(0, emphasisCharsMax),
      ) as [string, string]
      return Tokenizer.prototype.emStrong.call(this, near, maskedNear, before)
    },
  },
})

/**
 * Markdown as HTML that is safe to show: no scripts, styles, pictures or forms, and links that lead to https or mail
 * alone and lend nobody our name. What the parser gives up on is shown as it was written.
 */
export function htmlOfDescription(text: string): string {
  return sanitizeHtml(parsed(text), {
    allowedTags,
    allowedAttributes: { a: ['href', 'rel'] },
    transformTags: { ...headings, a: (_, attributes) => linkOf(attributes['href']) },
  })
}

const allowedTags =
  'p br hr h3 h4 h5 h6 ul ol li blockquote pre code strong em del a table thead tbody tr th td'.split(' ')

/** They stand below the headings of the page. */
const headings = { h1: 'h3', h2: 'h4', h3: 'h5', h4: 'h6', h5: 'h6' }

/** No word is as long, and looking for addresses in one of 20,000 letters would take the most of a second. */
const endlessWord = /\S{1000}/u

function parsed(text: string): string {
  try {
    if (!endlessWord.test(text)) return markdown.parse(text, { async: false })
  } catch {
    // Thousands of quotations within each other exhaust the stack.
  }
  return `<p>${text.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</p>`
}

function linkOf(href = ''): sanitizeHtml.Tag {
  const leads = URL.canParse(href) && ['https:', 'mailto:'].includes(new URL(href).protocol)
  // Its text stays, and leads nowhere.
  return { tagName: 'a', attribs: leads ? { href, rel: 'noopener nofollow ugc' } : {} }
}
